"""Two photos that a request brings are compared, and what is no form with two files is refused."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from culld.app.compare_messages import CompareRequest, Comparison
from culld.web.access import MOST_BYTES
from culld.web.problems import ProblemError
from culld.web.upload import MOST_BYTES as MOST_OF_FILES
from harness.review_library import API, Library, TestClient

COMPARE = f"{API}/compare"
FILES = {"first": ("IMG_1.jpg", b"one"), "second": ("IMG_2.jpg", b"two")}


@dataclass
class Comparer:
    """Answers without a look at the photos."""

    asked: list[CompareRequest] = field(default_factory=list)
    refusal: str = ""

    async def make(self, request: CompareRequest) -> Comparison:
        """As `WorkerPool.make`."""
        self.asked.append(request)
        if self.refusal:
            raise ProblemError(422, self.refusal)
        return Comparison("content", "They are equal.", changed=0.0, picture=b"png" if request.picture else b"")

    async def close(self) -> None:
        """Nothing to end."""


@pytest.fixture
def comparer() -> Comparer:
    """A comparer that takes everything."""
    return Comparer()


@pytest.fixture
def client(tmp_path: Path, comparer: Comparer) -> Iterator[TestClient]:
    """A client with a session, whose site has the comparer."""
    with Library(tmp_path).client() as client:
        client.app.site.comparer = comparer
        yield client


def test_two_files_are_compared(client: TestClient, comparer: Comparer) -> None:
    """Their names are those of the form, without folders."""
    files = FILES | {"second": ("C:\\photos\\IMG_2.jpg", b"two")}

    answer = client.post(COMPARE, files=files)

    assert answer.status_code == 200
    assert comparer.asked == [CompareRequest(b"one", b"two", ("IMG_1.jpg", "IMG_2.jpg"), picture=False)]
    assert answer.json()["sentence"] == "They are equal."
    assert (answer.json()["first"], answer.json()["second"]) == ("IMG_1.jpg", "IMG_2.jpg")
    assert "picture" not in answer.json()


def test_the_picture_comes_only_if_it_is_asked_for(client: TestClient) -> None:
    """In base64."""
    answer = client.post(f"{COMPARE}?picture=1", files=FILES)

    assert base64.b64decode(answer.json()["picture"]) == b"png"
    assert client.post(f"{COMPARE}?picture=yes", files=FILES).status_code == 422


@pytest.mark.parametrize(
    "files",
    [
        {"first": FILES["first"]},
        {"first": FILES["first"], "third": FILES["second"]},
        [("first", FILES["first"]), ("first", FILES["second"])],
        FILES | {"third": ("IMG_3.jpg", b"three")},
    ],
)
def test_a_form_without_both_files_is_refused(client: TestClient, comparer: Comparer, files: object) -> None:
    """One missing, another name, the same name twice, one too many."""
    answer = client.post(COMPARE, files=files)

    assert answer.status_code == 400
    assert answer.json()["detail"].endswith(".")
    assert not comparer.asked


@pytest.mark.parametrize("body", [b"", b"x", b"--x\r\n", b"--x\r\nContent-Disposition: form-data; name=first\r\n\r\n"])
@pytest.mark.parametrize("type_", ["multipart/form-data", "multipart/form-data; boundary=x"])
def test_a_broken_form_is_refused(client: TestClient, comparer: Comparer, body: bytes, type_: str) -> None:
    """Empty, truncated, without a boundary."""
    assert client.post(COMPARE, content=body, headers={"Content-Type": type_}).status_code == 400
    assert not comparer.asked


def test_only_a_form_is_taken(client: TestClient) -> None:
    """Here no JSON; elsewhere no form."""
    assert client.post(COMPARE, json={}).status_code == 415
    assert client.post(f"{API}/simulate", files=FILES).status_code == 415


def test_files_may_be_larger_than_other_bodies_but_not_without_limit(client: TestClient, comparer: Comparer) -> None:
    """The limit holds with a length and without one."""
    large = FILES | {"second": ("IMG_2.jpg", bytes(MOST_BYTES + 1))}
    assert client.post(COMPARE, files=large).status_code == 200

    head = {"Content-Type": "multipart/form-data; boundary=x"}
    start = b'--x\r\nContent-Disposition: form-data; name="first"; filename="a"\r\n\r\n'
    block = bytes(1 << 20)
    long = (start if number == 0 else block for number in range((MOST_OF_FILES >> 20) + 2))
    assert client.post(COMPARE, content=long, headers=head).status_code == 413
    assert (
        client.post(COMPARE, content=b"", headers=head | {"Content-Length": str(MOST_OF_FILES + 1)}).status_code == 413
    )
    assert len(comparer.asked) == 1


def test_a_photo_that_cannot_be_read_is_refused_in_words(client: TestClient, comparer: Comparer) -> None:
    """The answer names it."""
    comparer.refusal = "The photos cannot be compared: IMG_1.jpg: not a picture."

    answer = client.post(COMPARE, files=FILES)

    assert answer.status_code == 422
    assert "IMG_1.jpg" in answer.json()["detail"]


def test_a_third_comparison_at_a_time_waits(client: TestClient, comparer: Comparer) -> None:
    """The answer says when to ask again, and the count falls again after errors."""
    site = client.app.site
    site.comparing = 2
    answer = client.post(COMPARE, files=FILES)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")

    site.comparing = 0
    comparer.refusal = "no."
    client.post(COMPARE, files=FILES)
    client.post(COMPARE, content=b"", headers={"Content-Type": "multipart/form-data; boundary=x"})
    assert site.comparing == 0
