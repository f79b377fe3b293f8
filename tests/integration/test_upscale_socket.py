"""`POST /upscale` of a running `culld web`, over a real socket."""

from __future__ import annotations

import http.client
import io
import os
import random
import re
import signal
import socket
import struct
import subprocess
import sys
import time
import zlib
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from culld.web.upload import MOST_BYTES
from culld.web.upscaling import MOST_WAITING
from harness import factories
from harness.review_library import Library
from harness.web_process import Answer, Page, page

PICTURE = factories.picture(1, (320, 240))
SMALL = factories.encoded(PICTURE, quality=10)
FINE = factories.encoded(Image.linear_gradient("L").resize((320, 240)), quality=97)
NOISE = Image.frombytes("RGB", (1600, 1600), random.Random(1).randbytes(1600 * 1600 * 3))  # noqa: S311
LARGE = factories.encoded(NOISE, "PNG", compress_level=0)
"""A file of 7.7 MB, whose answer comes fast with `strength=0`."""
HEAD = b'--x\r\nContent-Disposition: form-data; name="image"; filename="IMG_1.jpg"\r\n\r\n'
TYPE = "multipart/form-data; boundary=x"


def form(data: bytes) -> bytes:
    """The body of a form with one file."""
    return HEAD + data + b"\r\n--x--\r\n"


@dataclass
class Client:
    """A program with a token that may only read."""

    page: Page
    token: str

    def ask(
        self,
        path: str = "/upscale",
        data: bytes | None = None,
        *,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        method: str | None = None,
    ) -> Answer:
        """The answer to one request: a POST with the form of a file or another body, else a GET."""
        body = form(data) if data is not None else body
        given = {"Authorization": f"Bearer {self.token}"} | ({} if body is None else {"Content-Type": TYPE})
        with closing(http.client.HTTPConnection("127.0.0.1", self.page.port, timeout=170)) as connection:
            connection.request(method or ("GET" if body is None else "POST"), path, body, given | dict(headers or {}))
            with connection.getresponse() as answer:
                return Answer(answer.status, answer.headers, answer.read())

    def begin(self, length: int) -> socket.socket:
        """A connection with the head of a request, whose body has this length."""
        made = socket.create_connection(("127.0.0.1", self.page.port), timeout=60)
        made.sendall(
            f"POST /upscale HTTP/1.1\r\nHost: 127.0.0.1:{self.page.port}\r\nAuthorization: Bearer {self.token}\r\n"
            f"Content-Type: {TYPE}\r\nContent-Length: {length}\r\n\r\n".encode()
        )
        return made

    def finished(self, place: str) -> Answer:
        """The answer of a job that is not 202 any more."""
        for _ in range(600):
            answer = self.ask(place)
            if answer.status != 202:
                return answer
            assert answer.headers["retry-after"] == "5"
            assert answer.json()["state"] in {"waiting", "running"}
            time.sleep(0.2)
        pytest.fail("the job does not end")

    def peak(self) -> int:
        """The most memory that the page had at a time, in bytes."""
        status = Path(f"/proc/{self.page.process.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) << 10  # type: ignore[index]


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    """A library without photos, with a folder of its own for temporary files."""
    library = Library(tmp_path_factory.mktemp("library"))
    (library.folder / "tmp").mkdir()
    library.environ["TMPDIR"] = str(library.folder / "tmp")
    return library


@pytest.fixture(scope="module")
def client(library: Library) -> Iterator[Client]:
    """A client of a running page."""
    with page(library) as running:
        client = Client(running, token(library, "first"))
        assert client.ask("/upscale?strength=0", SMALL).status == 200
        yield client
        assert running.end() == 0
        assert running.process.stderr is not None
        assert "Traceback" not in running.process.stderr.read()


def token(library: Library, name: str) -> str:
    """A new token that may only read."""
    command = [sys.executable, "-m", "culld", "web", "token", name, "--scope", "read", "--config", "c.yaml"]
    return subprocess.run(command, cwd=library.folder, capture_output=True, text=True, check=True).stdout.strip()


def decoded(data: bytes) -> Image.Image:
    """The picture of a file."""
    return Image.open(io.BytesIO(data))


def distance(data: bytes, other: Image.Image) -> float:
    """The root of the mean squared difference of two pictures."""
    return float(np.sqrt(np.mean((np.asarray(decoded(data).convert("RGB"), float) - np.asarray(other)) ** 2)))


def chunk(kind: bytes, data: bytes) -> bytes:
    """A chunk of a PNG."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def empty_png(width: int, height: int, depth: int = 8) -> bytes:
    """A PNG that claims a size, and holds one row of zeros."""
    head = struct.pack(">IIBBBBB", width, height, depth, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(1 + 6 * 8)))


def assert_refused(answer: Answer, status: int) -> None:
    """The answer is a problem of this status, in words."""
    assert answer.status == status, (answer.status, answer.body[:500])
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"].endswith((".", "`"))


def test_a_compressed_picture_comes_back_closer_to_the_original(client: Client) -> None:
    """In the same format and size, with what was assumed and which network repaired it."""
    answer = client.ask("/upscale", SMALL)

    assert answer.status == 200, answer.body
    assert (answer.headers["content-type"], answer.headers["cache-control"]) == ("image/jpeg", "no-store")
    assert (answer.headers["x-estimated-quality"], answer.headers["x-changed"]) == ("10", "1")
    assert answer.headers["x-model"].startswith("restore-jpeg-1@")
    assert decoded(answer.body).size == PICTURE.size
    half = client.ask("/upscale?strength=0.5", SMALL)
    assert distance(answer.body, PICTURE) < distance(half.body, PICTURE) < distance(SMALL, PICTURE) - 0.1


@pytest.mark.parametrize(("query", "data"), [("", FINE), ("?format=jpeg&scale=1", FINE), ("?strength=0", SMALL)])
def test_a_picture_without_a_gain_comes_back_as_the_same_bytes(client: Client, query: str, data: bytes) -> None:
    """Also if the format is named."""
    answer = client.ask(f"/upscale{query}", data)

    assert (answer.status, answer.headers["x-changed"]) == (200, "0")
    assert answer.body == data


@pytest.mark.parametrize(
    ("query", "type_", "size", "changed", "quality"),
    [
        ("quality=30&format=png", "png", (320, 240), "1", "30"),
        ("format=webp&quality=auto", "webp", (320, 240), "1", "10"),
        ("scale=2", "jpeg", (640, 480), "1", "10"),
        ("strength=0.0&format=png", "png", (320, 240), "0", "10"),
        ("strength=0&scale=2", "jpeg", (640, 480), "0", "10"),
    ],
)
def test_format_and_size_are_those_that_are_asked_for(
    client: Client, query: str, type_: str, size: tuple[int, int], changed: str, quality: str
) -> None:
    """And a quality that is given is the one that is assumed."""
    answer = client.ask(f"/upscale?{query}", SMALL)

    assert (answer.status, answer.headers["content-type"]) == (200, f"image/{type_}")
    assert (decoded(answer.body).size, decoded(answer.body).format) == (size, type_.upper())
    assert (answer.headers["x-changed"], answer.headers["x-estimated-quality"]) == (changed, quality)


def test_a_picture_without_tables_is_repaired_by_its_blocks(client: Client) -> None:
    """A PNG made of a compressed photo; there is no quality to name."""
    answer = client.ask("/upscale", factories.encoded(decoded(SMALL), "PNG"))

    assert (answer.status, answer.headers["content-type"], answer.headers["x-changed"]) == (200, "image/png", "1")
    assert "x-estimated-quality" not in answer.headers


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"nonsense",
        b"--x--\r\n",
        form(SMALL)[:-100],
        form(SMALL).replace(b'"image"', b'"photo"'),
        HEAD.replace(b'; filename="IMG_1.jpg"', b"") + b"text\r\n--x--\r\n",
        form(SMALL)[:-4] + b"\r\n" + form(SMALL),
    ],
    ids=["empty", "no form", "no field", "cut off", "other field", "no file", "two files"],
)
def test_a_form_without_the_field_is_refused(client: Client, body: bytes) -> None:
    """With 400."""
    assert_refused(client.ask(body=body), 400)


def test_a_form_may_come_in_pieces_without_its_length(client: Client) -> None:
    """As programs send it that make it while they send."""
    pieces = [form(SMALL)[start : start + 1000] for start in range(0, len(form(SMALL)), 1000)]
    answer = client.ask(body=iter(pieces))  # type: ignore[arg-type]

    assert (answer.status, answer.headers["x-changed"]) == (200, "1")
    assert answer.body == client.ask("/upscale", SMALL).body


def test_more_bytes_than_allowed_are_refused_before_they_come(client: Client) -> None:
    """By the length in the head of the request."""
    with client.begin(MOST_BYTES + 1) as connection:
        assert connection.recv(100).startswith(b"HTTP/1.1 413")


@pytest.mark.parametrize(
    "data",
    [b"", b"not a picture", SMALL[:-300], SMALL[:20] + bytes(3000), b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF89a",
     factories.encoded(PICTURE.resize((40, 30)), "TIFF"), empty_png(9, 9), LARGE[: len(LARGE) // 2]],
)  # fmt: skip
def test_what_is_no_picture_is_refused(client: Client, data: bytes) -> None:
    """Text, damaged and cut files, and formats that the page does not give back."""
    assert_refused(client.ask("/upscale", data), 415)


def test_another_type_of_body_is_refused(client: Client) -> None:
    """JSON is no form."""
    assert_refused(client.ask(body=b"{}", headers={"Content-Type": "application/json"}), 415)


@pytest.mark.parametrize(
    "query",
    ["strength=1.1", "strength=-0.1", "strength=nan", "strength=", "strength=1e999", "quality=4", "quality=96",
     "quality=-5", "quality=x", "quality=10.5", "quality=%D9%A1%D9%A0", "scale=3", "scale=0", "scale=1.0", "format=gif",
     "format=JPEG", "format="],
)  # fmt: skip
def test_a_value_out_of_range_is_refused(client: Client, query: str) -> None:
    """Before the picture is looked at."""
    assert_refused(client.ask(f"/upscale?{query}", SMALL), 422)


FRAMES = [PICTURE.resize((40, 30)), PICTURE.resize((40, 30)).rotate(180)]


@pytest.mark.parametrize(
    ("data", "query", "text"),
    [
        (empty_png(100_000, 100_000), "", "pixels are more than"),
        (empty_png(1, 40_000_000), "", "too long"),
        (empty_png(5_000, 4_000), "?scale=2", "pixels are more than"),
        (empty_png(8, 8, depth=16), "", "16 bits"),
        (factories.encoded(PICTURE.convert("CMYK")), "", "CMYK"),
        (factories.encoded(FRAMES[0], "PNG", save_all=True, append_images=FRAMES[1:]), "", "animated"),
        (factories.encoded(FRAMES[0], "WEBP", save_all=True, append_images=FRAMES[1:]), "", "animated"),
        (factories.encoded(FRAMES[0].convert("RGBA"), "PNG"), "?format=jpeg", "transparent"),
        (factories.encoded(Image.new("L", (16_400, 1)), "PNG"), "?format=webp", "side"),
    ],
    ids=["bomb", "long bomb", "bomb at scale 2", "16 bits", "CMYK", "APNG", "animated WebP", "transparent", "too long"],
)
def test_a_picture_that_is_not_repaired_is_refused_in_words(client: Client, data: bytes, query: str, text: str) -> None:
    """The sentence names the reason."""
    answer = client.ask(f"/upscale{query}", data)

    assert_refused(answer, 422)
    assert text in answer.json()["detail"]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Authorization": "Bearer x"}, 401),
        ({"Origin": "http://evil.example"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Host": "evil.example"}, 421),
    ],
)
def test_the_guard_stands_before_the_route(client: Client, headers: dict[str, str], status: int) -> None:
    """As before the API; also before jobs."""
    assert_refused(client.ask("/upscale", SMALL, headers=headers), status)
    assert_refused(client.ask("/upscale/none", headers=headers), status)


def test_other_addresses_and_methods_are_not_there(client: Client) -> None:
    """No job has that name, and the route is for POST."""
    assert_refused(client.ask("/upscale/none"), 404)
    assert_refused(client.ask("/upscale/"), 404)
    assert_refused(client.ask("/upscale"), 405)
    assert_refused(client.ask("/upscale/none", SMALL), 415)


def test_a_job_gives_its_picture_once(client: Client) -> None:
    """The address comes at once; a look at the head takes nothing away."""
    answer = client.ask("/upscale?format=png", SMALL, headers={"Prefer": "wait=1, Respond-Async"})

    assert (answer.status, answer.headers["preference-applied"]) == (202, "respond-async")
    place = answer.headers["location"]
    assert re.fullmatch(r"/upscale/[\w-]{22}", place)
    for _ in range(300):
        if client.ask(place, method="HEAD").status == 200:
            break
        time.sleep(0.2)
    found = client.finished(place)
    assert (found.status, found.headers["content-type"], found.headers["x-changed"]) == (200, "image/png", "1")
    assert found.body == client.ask("/upscale?format=png", SMALL).body
    assert_refused(client.ask(place), 404)


def test_a_job_that_fails_says_why_once(client: Client) -> None:
    """With the status that the answer would have had."""
    answer = client.ask("/upscale", SMALL[:-300], headers={"Prefer": "respond-async"})

    assert answer.status == 202
    assert_refused(client.finished(answer.headers["location"]), 415)
    assert_refused(client.ask(answer.headers["location"]), 404)


def test_fifty_requests_at_once_are_answered_and_the_page_goes_on(client: Client) -> None:
    """Each is repaired, or is to ask again; the page holds only a few of the files at a time."""
    before = client.peak()
    with ThreadPoolExecutor(50) as threads:
        answers = list(threads.map(lambda number: client.ask(*_some(number)), range(50)))

    assert {answer.status for answer in answers} == {200, 503}
    for answer in answers:
        if answer.status == 503:
            assert_refused(answer, 503)
            assert int(answer.headers["retry-after"]) > 0
    assert client.peak() - before < (2 * (MOST_WAITING + 1) + 2) * len(LARGE)
    assert client.ask("/upscale", SMALL).headers["x-changed"] == "1"


def _some(number: int) -> tuple[str, bytes]:
    return ("/upscale", SMALL) if number % 10 == 0 else ("/upscale?strength=0&format=jpeg", LARGE)


def test_a_full_queue_refuses_and_jobs_count(client: Client) -> None:
    """One runs and four wait; the next one is to ask again, though its file is sent at once."""
    with ThreadPoolExecutor(12) as threads:
        wanted = {"Prefer": "respond-async"}
        answers = list(threads.map(lambda _: client.ask("/upscale?scale=2", SMALL, headers=wanted), range(12)))
    accepted = [answer.headers["location"] for answer in answers if answer.status == 202]

    assert {answer.status for answer in answers} == {202, 503}
    assert len(accepted) >= MOST_WAITING + 1
    found = [client.finished(place).status for place in accepted]
    assert set(found) <= {200, 404}  # at most four finished ones are kept
    assert found.count(200) >= MOST_WAITING


def test_uploads_that_break_off_leave_their_places(client: Client) -> None:
    """More of them than there are places, closed in the middle of the file."""
    for _ in range(2 * (MOST_WAITING + 1)):
        with client.begin(len(form(LARGE))) as connection:
            connection.sendall(form(LARGE)[:100_000])
    assert_answers_soon(client)


def test_uploads_that_never_end_do_not_close_the_page(client: Client) -> None:
    """They hold the places while they are open, and only those: everything else is answered."""
    held = [client.begin(1000) for _ in range(MOST_WAITING + 1)]
    try:
        deadline = time.monotonic() + 30
        while client.ask("/upscale?strength=0", SMALL).status != 503:
            assert time.monotonic() < deadline
        assert client.ask("/api/v1/status").status == 200
    finally:
        for connection in held:
            connection.close()
    assert_answers_soon(client)


def assert_answers_soon(client: Client) -> None:
    """A place becomes free once the page has noticed that connections were closed."""
    deadline = time.monotonic() + 60
    while (answer := client.ask("/upscale?strength=0", SMALL)).status == 503:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert answer.status == 200


def test_a_worker_that_dies_costs_one_picture_at_most(client: Client) -> None:
    """It yields to other processes, and has the limit of memory of the configuration."""
    assert client.ask("/upscale", SMALL).status == 200
    (worker,) = client.page.workers()
    own = os.getpriority(os.PRIO_PROCESS, client.page.process.pid)
    assert os.getpriority(os.PRIO_PROCESS, worker) == min(19, own + 10)
    assert re.search(r"Max address space +2000000000 ", Path(f"/proc/{worker}/limits").read_text())
    os.kill(worker, signal.SIGKILL)

    assert client.ask("/upscale", SMALL).status in {200, 422}
    assert client.ask("/upscale", SMALL).status == 200


def test_nothing_of_a_picture_is_left_on_the_disk(client: Client, library: Library) -> None:
    """Neither in the folder of temporary files, nor in the cache, nor in the state folder."""
    before = listing(library.folder)
    assert client.ask("/upscale?strength=0&format=jpeg", LARGE).status == 200
    answer = client.ask("/upscale?format=png", SMALL, headers={"Prefer": "respond-async"})
    client.finished(answer.headers["location"])
    client.ask("/upscale", SMALL[:-300])
    with client.begin(len(form(LARGE))) as connection:
        connection.sendall(form(LARGE)[:2_000_000])

    assert listing(library.folder) == before
    assert not list((library.folder / "tmp").iterdir())
    opened = [str(file.readlink()) for file in Path(f"/proc/{client.page.process.pid}/fd").iterdir() if file.is_file()]
    assert not any("deleted" in name for name in opened if not name.startswith("/memfd:"))


def listing(folder: Path) -> dict[str, int]:
    """Every file below a folder, with its size."""
    return {str(path.relative_to(folder)): path.stat().st_size for path in folder.rglob("*") if path.is_file()}


def test_the_end_does_not_wait_for_a_repair(library: Library) -> None:
    """Neither for one that runs, nor for those that wait."""
    with page(library) as running:
        client = Client(running, token(library, "second"))
        for _ in range(3):
            assert client.ask("/upscale", LARGE, headers={"Prefer": "respond-async"}).status == 202
        time.sleep(1)
        begun = time.monotonic()
        assert running.end() == 0
        assert time.monotonic() - begun < 8


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_picture_of_forty_megapixels_is_repaired_within_the_limit_of_memory(client: Client) -> None:
    """It is given back in its size; with both sides doubled it would be too large."""
    tile = factories.picture(3, (1000, 800))
    large = Image.new("RGB", (8000, 5000))
    for number in range(8 * 7):
        large.paste(tile, (1000 * (number % 8), 800 * (number // 8)))
    answer = client.ask("/upscale", factories.encoded(large, quality=20), headers={"Prefer": "respond-async"})
    deadline = time.monotonic() + 500
    while client.ask(answer.headers["location"], method="HEAD").status == 202:
        assert time.monotonic() < deadline
        time.sleep(1)
    found = client.finished(answer.headers["location"])

    assert (found.status, found.headers["x-changed"]) == (200, "1"), found.body[:500]
    assert decoded(found.body).size == (8000, 5000)
    assert_refused(client.ask("/upscale?scale=2", factories.encoded(large, quality=20)), 422)
