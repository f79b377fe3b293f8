"""The login of the page: codes, sessions, the password, tokens; on the disk there are hashes only."""

from __future__ import annotations

import json
import os
import stat
import time
from pathlib import Path

import pytest

from culld.cli import main
from culld.errors import SystemFaultError
from culld.web.login_routes import LOGINS_A_MINUTE, LoginRate
from culld.web.secret_store import CODE_LIFE_S, SESSION_LIFE_S, Scope, SecretStore
from harness.review_library import API, Library

JSON = {"Content-Type": "application/json"}


@pytest.fixture
def library(tmp_path: Path) -> Library:
    """An empty library."""
    return Library(tmp_path)


@pytest.fixture
def store(tmp_path: Path) -> SecretStore:
    """An empty store."""
    store = SecretStore(tmp_path / "web")
    store.prepare()
    return store


def aged(file: Path, seconds: float) -> None:
    """Make a secret older."""
    content = json.loads(file.read_text())
    file.write_text(json.dumps(content | {"made_at": time.time() - seconds}))


def test_a_code_becomes_a_session_once(library: Library) -> None:
    """The cookie is for this page only, and not for scripts."""
    with library.client(login=False) as client:
        code = library.site().store.new_code()
        answer = client.post(f"{API}/login", json={"code": code})
        again = client.post(f"{API}/login", json={"code": code}, headers={"Sec-Fetch-Site": "same-origin"})
        session = client.get(f"{API}/session")

    assert answer.status_code == 204
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("culld-")
    assert {"HttpOnly", "SameSite=strict", "Path=/"} <= set(cookie.split("; "))
    assert "Secure" not in cookie  # plain HTTP on this machine
    assert again.status_code == 401
    assert session.json()["csrf_free"] is True
    assert session.json()["settings"]["thresholds"]["blur"] == {"tag": 0.5, "reject": 0.97}


def test_behind_tls_the_cookie_is_secure(library: Library) -> None:
    """The browser names the scheme in Origin."""
    with library.client(login=False) as client:
        code = library.site().store.new_code()
        answer = client.post(f"{API}/login", json={"code": code}, headers={"Origin": "https://nas.local"})

    assert "Secure" in answer.headers["set-cookie"]


def test_logout_ends_the_session(library: Library) -> None:
    """Also on the disk, and also for a copy of the cookie."""
    with library.client() as client:
        cookies = dict(client.cookies)
        assert client.post(f"{API}/logout", headers=JSON).status_code == 204
        for name, value in cookies.items():
            client.cookies.set(name, value)
        assert client.get(f"{API}/session").status_code == 401
    assert not list((library.state / "web" / "sessions").iterdir())


@pytest.mark.parametrize(
    "given", [{}, {"code": ""}, {"code": 5}, {"code": "x" * 2000}, {"code": None}, {"password": ""}]
)
def test_nothing_else_logs_in(library: Library, given: dict[str, object]) -> None:
    """An empty password is none, even if none is set."""
    with library.client(login=False) as client:
        assert client.post(f"{API}/login", json=given).status_code == 401


def test_the_password_logs_in(library: Library) -> None:
    """A code beside it is refused, so that one attempt is one guess."""
    library.site().store.set_password("correct horse battery")
    code = library.site().store.new_code()
    with library.client(login=False) as client:
        assert client.post(f"{API}/login", json={"password": "wrong horse"}).status_code == 401
        both = client.post(f"{API}/login", json={"password": "correct horse battery", "code": code})
        assert both.status_code == 401
        assert client.post(f"{API}/login", json={"password": "correct horse battery"}).status_code == 204


def test_logins_are_slowed_down(library: Library) -> None:
    """The right code is refused as well, and stays valid."""
    with library.client(login=False) as client:
        for _ in range(LOGINS_A_MINUTE):
            assert client.post(f"{API}/login", json={"code": "wrong"}).status_code == 401
        code = library.site().store.new_code()
        answer = client.post(f"{API}/login", json={"code": code})

    assert answer.status_code == 429
    assert 0 < int(answer.headers["retry-after"]) <= 61
    assert library.site().store.use_code(code)


def test_the_rate_forgets_after_a_minute() -> None:
    """Each attempt counts for sixty seconds."""
    rate = LoginRate()

    assert [rate.take(number) for number in range(LOGINS_A_MINUTE)] == [0.0] * LOGINS_A_MINUTE
    assert rate.take(30.0) == 30.0
    assert rate.take(60.0) == 0.0
    assert rate.take(60.5) == 0.5


def test_codes_and_sessions_age(store: SecretStore) -> None:
    """A code for a minute, a session for thirty days; a clock that was set back makes neither valid for longer."""
    code, session = store.new_code(), store.new_session()
    (code_file,) = (store.folder / "codes").iterdir()
    (session_file,) = (store.folder / "sessions").iterdir()
    assert store.is_session(session)
    aged(session_file, SESSION_LIFE_S + 1)
    assert not store.is_session(session)
    aged(session_file, -10)
    assert not store.is_session(session)
    aged(code_file, CODE_LIFE_S + 1)
    assert not store.use_code(code)
    assert not store.use_code(code)


def test_only_hashes_are_on_the_disk(store: SecretStore) -> None:
    """In files that only this user reads."""
    secrets = [store.new_code(), store.new_session(), store.new_token("script", Scope.READ)]
    store.set_password("correct horse battery")

    assert stat.S_IMODE(store.folder.stat().st_mode) == 0o700
    files = [file for file in store.folder.rglob("*") if file.is_file()]
    assert len(files) == 4
    for file in files:
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert not any(secret in file.name or secret in file.read_text() for secret in [*secrets, "horse"])


def test_a_token_has_a_scope_and_can_be_removed(store: SecretStore) -> None:
    """A new one of the same name replaces it."""
    old = store.new_token("script", Scope.READ)
    token = store.new_token("script", Scope.ANSWER)

    assert store.token_scope(old) is None
    assert store.token_scope(token) is Scope.ANSWER
    assert store.remove_token("script")
    assert not store.remove_token("script")
    assert store.token_scope(token) is None


def test_a_damaged_file_is_no_secret(store: SecretStore) -> None:
    """Whatever is in it."""
    session = store.new_session()
    (file,) = (store.folder / "sessions").iterdir()
    for content in ("", "{", "[]", '{"made_at": "now"}', "{}"):
        file.write_text(content)
        assert not store.is_session(session)
    (store.folder / "password").write_text("{")
    assert not store.has_password
    assert not store.is_password("")


def test_a_new_session_sweeps_the_old_ones(store: SecretStore) -> None:
    """And codes that nobody used."""
    store.new_session()
    store.new_code()
    for kind, age in (("sessions", SESSION_LIFE_S), ("codes", CODE_LIFE_S)):
        (file,) = (store.folder / kind).iterdir()
        aged(file, age + 1)
    store.new_session()

    assert len(list((store.folder / "sessions").iterdir())) == 1
    assert not list((store.folder / "codes").iterdir())


def test_a_folder_that_cannot_be_made_is_a_message(tmp_path: Path) -> None:
    """It names the folder."""
    (tmp_path / "web").write_text("")
    with pytest.raises(SystemFaultError, match="web cannot be made"):
        SecretStore(tmp_path / "web").prepare()


def test_the_commands_make_secrets(
    library: Library, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`--link`, `token`, `password`."""
    config = ["--config", str(library.folder / "c.yaml")]
    store = library.site().store

    assert main(["web", "--link", *config]) == 0
    link = capsys.readouterr().out.strip()
    assert link.startswith("http://127.0.0.1:8466/#login=")
    assert store.use_code(link.partition("#login=")[2])

    assert main(["web", "token", "script", "--scope", "answer", *config]) == 0
    assert store.token_scope(capsys.readouterr().out.strip()) is Scope.ANSWER
    assert main(["web", "token", "script", "--remove", *config]) == 0
    assert main(["web", "token", "script", "--remove", *config]) == 1
    capsys.readouterr()

    for given, code in (("short\n", 2), ("correct horse battery\n", 0)):
        read, write = os.pipe()
        os.write(write, given.encode())
        os.close(write)
        with os.fdopen(read) as stream:
            monkeypatch.setattr("sys.stdin", stream)
            assert main(["web", "password", *config]) == code
    assert store.is_password("correct horse battery")
