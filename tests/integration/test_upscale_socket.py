"""`POST /upscale` of a running `culld web`, over a real socket."""

from __future__ import annotations

import http.client
import io
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass

import pytest
from PIL import Image

from harness import factories
from harness.review_library import Library
from harness.web_process import Answer, Page, page

SMALL = factories.encoded(factories.picture(1, (320, 240)), quality=10)
FINE = factories.encoded(factories.picture(1, (320, 240)), quality=97)
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
        self, path: str = "/upscale", body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """The answer to one request: a POST with a body, else a GET."""
        with closing(http.client.HTTPConnection("127.0.0.1", self.page.port, timeout=120)) as connection:
            given = {"Authorization": f"Bearer {self.token}"} | ({} if body is None else {"Content-Type": TYPE})
            connection.request("GET" if body is None else "POST", path, body, given | dict(headers or {}))
            with connection.getresponse() as answer:
                return Answer(answer.status, answer.headers, answer.read())


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    """A library without photos."""
    return Library(tmp_path_factory.mktemp("library"))


@pytest.fixture(scope="module")
def client(library: Library) -> Iterator[Client]:
    """A client of a running page."""
    with page(library) as running:
        command = [sys.executable, "-m", "culld", "web", "token", "test", "--scope", "read", "--config", "c.yaml"]
        found = subprocess.run(command, cwd=library.folder, capture_output=True, text=True, check=True)
        yield Client(running, found.stdout.strip())
        assert running.end() == 0


def decoded(data: bytes) -> Image.Image:
    """The picture of a file."""
    return Image.open(io.BytesIO(data))


def test_a_compressed_picture_comes_back_repaired(client: Client) -> None:
    """In the same format and size, with what was assumed and which network did it."""
    answer = client.ask(body=form(SMALL))

    assert answer.status == 200, answer.body
    assert (answer.headers["content-type"], answer.headers["cache-control"]) == ("image/jpeg", "no-store")
    assert (answer.headers["x-estimated-quality"], answer.headers["x-changed"]) == ("10", "1")
    assert answer.headers["x-model"].startswith("restore-jpeg-1@")
    assert decoded(answer.body).size == (320, 240)
    assert answer.body != SMALL
