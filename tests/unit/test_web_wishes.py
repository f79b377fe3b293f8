"""Wishes: they are on the disk before the answer, once, and only for what the page has shown."""

from __future__ import annotations

import json
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from culld.app.wishes.wish_file import wish_of
from culld.records import Verdict
from culld.records.review import ReviewState, Wish, WishItem, WishKind
from culld.web.secret_store import Scope
from harness.review_library import API, Library

ID = "11111111-1111-4111-8111-111111111111"


@pytest.fixture
def library(tmp_path: Path) -> Library:
    """A rejected photo, 1, and a tagged one, 2."""
    library = Library(tmp_path)
    library.add(Verdict.QUARANTINE)
    library.add(Verdict.TAG)
    return library


def wish(*items: tuple[int, str], kind: str = "restore", id_: str = ID, **more: object) -> dict[str, object]:
    """The body of a wish."""
    given = [{"decision": number, "state": state} for number, state in items]
    return {"id": id_, "kind": kind, "items": given, "seen_count": len(given)} | more


def test_a_wish_is_on_the_disk_before_the_answer(library: Library) -> None:
    """In the form that the daemon reads; the part file is gone."""
    with library.client() as client:
        answer = client.post(f"{API}/wishes", json=wish((1, "rejected"), (2, "tagged")))
        progress = client.get(f"{API}/wishes/{ID}").json()

    assert (answer.status_code, answer.json()) == (202, {"id": ID})
    (file,) = (library.state / "wishes").iterdir()
    assert file.name == f"{ID}.json"
    assert stat.S_IMODE(file.stat().st_mode) & 0o007 == 0
    items = (WishItem(1, ReviewState.REJECTED), WishItem(2, ReviewState.TAGGED))
    assert wish_of(file.read_bytes()) == Wish(ID, WishKind.RESTORE, items)
    assert (progress["state"], progress["kind"]) == ("waiting", "restore")
    assert progress["items"][0] == {"decision": 1, "state": "waiting", "note": "", "now": None}


def test_the_same_wish_again_is_the_same_wish(library: Library) -> None:
    """Another one with its id is refused, also after the daemon has taken the first one."""
    with library.client() as client:
        assert client.post(f"{API}/wishes", json=wish((1, "rejected"))).status_code == 202
        assert client.post(f"{API}/wishes", json=wish((1, "rejected"))).status_code == 202
        assert client.post(f"{API}/wishes", json=wish((2, "tagged"))).status_code == 409
        (library.state / "wishes" / f"{ID}.json").unlink()
        library.execute("INSERT INTO wish (id, kind, taken_at, ended_at) VALUES (?, 'restore', 1, 2)", ID)
        library.execute(
            "INSERT INTO wish_item (wish, number, decision, seen, state, note, now)"
            " VALUES (?, 0, 1, 'rejected', 'done', 'moved back', 1)",
            ID,
        )
        library.execute("UPDATE decision SET restored_at = 1 WHERE id = 1")
        assert client.post(f"{API}/wishes", json=wish((1, "rejected"))).status_code == 202
        assert client.post(f"{API}/wishes", json=wish((2, "tagged"))).status_code == 409
        progress = client.get(f"{API}/wishes/{ID}").json()

    assert not list((library.state / "wishes").iterdir())
    assert progress["state"] == "ended"
    assert progress["items"] == [{"decision": 1, "state": "done", "note": "moved back", "now": 1}]


def test_what_changed_meanwhile_is_refused(library: Library) -> None:
    """With the photos that changed and their states now; nothing is written."""
    library.execute("UPDATE decision SET restored_at = 1 WHERE id = 1")
    with library.client() as client:
        answer = client.post(f"{API}/wishes", json=wish((1, "rejected"), (2, "tagged"), (9, "kept")))

    assert answer.status_code == 410
    assert answer.json()["items"] == [
        {"decision": 1, "state": "rejected", "now": "restored"},
        {"decision": 9, "state": "kept", "now": None},
    ]
    assert not (library.state / "wishes").exists()


@pytest.mark.parametrize(
    "body",
    [
        wish((1, "rejected"), seen_count=2),
        wish((1, "rejected"), seen_count=True),
        wish((1, "rejected"), seen_count="1"),
        wish((1, "rejected"), seen_count=None),
        wish(),
        wish((1, "rejected"), kind="delete"),
        wish((1, "gone")),
        wish((True, "rejected")),
        wish((0, "rejected")),
        wish((1 << 63, "rejected")),
        wish((1, "rejected"), id_="../../x"),
        wish((1, "rejected"), id_=ID.upper().replace("1", "A", 1)),
        wish((1, "rejected"), id_=f"{{{ID}}}"),
        wish((1, "rejected"), id_=f"{ID}\n"),
        wish((1, "rejected"), all=True),
        wish((1, "rejected"), policy=5),
        wish((1, "rejected"), items="all"),
        wish((1, "rejected"), items=[{"decision": 1, "state": "rejected", "path": "/etc"}]),
        wish(*[(number, "rejected") for number in range(1, 10_002)]),
        wish((1, "rejected"), (1, "rejected")),
        wish((1, "rejected"), kind="resume"),
        wish((1, "rejected"), kind="apply-policy"),
    ],
)
def test_a_wish_that_cannot_be_read_is_refused(library: Library, body: dict[str, object]) -> None:
    """Also one that counts another number of photos than it names, and one for everything."""
    with library.client() as client:
        assert client.post(f"{API}/wishes", json=body).status_code == 422
    assert not (library.state / "wishes").exists()


def test_the_brake_is_released_without_photos(library: Library) -> None:
    """It is the only wish without items."""
    with library.client() as client:
        assert client.post(f"{API}/wishes", json=wish(kind="resume")).status_code == 202


def test_ten_thousand_wishes_in_one_click(library: Library) -> None:
    """One file for all."""
    library.execute(
        "WITH RECURSIVE n (i) AS (SELECT 3 UNION ALL SELECT i + 1 FROM n WHERE i < 10000)"
        " INSERT INTO decision (id, plan, made_at, root, relative, digest, blur, verdict, reason, keywords, model,"
        " policy, state) SELECT i, i, 1, root, CAST(i AS BLOB), digest, blur, 'quarantine', '', '[]', '', '', 'done'"
        " FROM n, decision WHERE id = 1"
    )
    items = [(1, "rejected"), (2, "tagged"), *((number, "rejected") for number in range(3, 10_001))]
    with library.client() as client:
        answer = client.post(f"{API}/wishes", json=wish(*items))

    assert answer.status_code == 202
    (file,) = (library.state / "wishes").iterdir()
    assert len(json.loads(file.read_bytes())["items"]) == 10_000


@pytest.mark.parametrize("id_", ["6f1d2c3b-4a5e-4f60-8b7a-9c0d1e2f3a4b", "x", "..", "%2e%2e%2fc", "c.yaml"])
def test_an_unknown_wish_is_not_found(library: Library, id_: str) -> None:
    """And no other file is looked at."""
    with library.client() as client:
        assert client.get(f"{API}/wishes/{id_}").status_code == 404


def test_a_wish_that_cannot_be_stored_is_not_accepted(library: Library) -> None:
    """The page tries again."""
    (library.state / "wishes").write_text("")
    with library.client() as client:
        assert client.post(f"{API}/wishes", json=wish((1, "rejected"))).status_code == 503


def test_a_token_with_its_scope_leaves_a_wish(library: Library) -> None:
    """Without cookie, origin or Sec-Fetch-Site."""
    with library.client(scope=Scope.ANSWER) as client:
        assert client.post(f"{API}/wishes", json=wish((1, "rejected"))).status_code == 202


def test_the_change_number_grows_with_the_progress_of_wishes(library: Library) -> None:
    """Also where no photo changed: the page looks at its wishes then."""
    with library.client() as client:
        before = client.get(f"{API}/index").json()["change"]
        library.execute("INSERT INTO wish (id, kind, taken_at) VALUES (?, 'confirm', 1)", ID)
        after = client.get(f"{API}/index?since={before}").json()

    assert after["change"] > before
    assert (after["total"], after["full"]) == (0, False)


def test_a_full_disk_is_told_and_the_wish_can_be_left_again(library: Library) -> None:
    """Nothing of the wish stays behind, and the same request is taken when there is room."""
    folder = library.state / "wishes"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=4k,nr_inodes=8", "tmpfs", str(folder)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("needs the right to mount a small disk")
    try:
        (folder / "ballast").write_bytes(bytes(4096))
        with library.client() as client:
            refused = client.post(f"{API}/wishes", json=wish((1, "rejected")))
            left = [path.name for path in folder.iterdir()]
            (folder / "ballast").unlink()
            taken = client.post(f"{API}/wishes", json=wish((1, "rejected")))
    finally:
        subprocess.run(["umount", str(folder)], check=True)

    assert (refused.status_code, refused.json()["detail"]) == (
        503,
        "The wish cannot be stored: No space left on device.",
    )
    assert left == ["ballast"]
    assert taken.status_code == 202
