"""Every route of the page refuses whatever it must; the cases come from the table of routes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.routing import Route

from culld.records import Verdict
from culld.web.access import MOST_BYTES, access_to
from culld.web.application import ROUTES
from culld.web.guard import HEADERS
from culld.web.hosts import AllowedHosts
from culld.web.secret_store import Scope
from culld.web.upload import MOST_BYTES as MOST_OF_FILES
from harness.review_library import API, BASE, Library, TestClient

PAGE = {"/", "/s/{path:path}"}
LOGIN = f"{API}/login"
TAKES_FILES = {f"{API}/compare", "/upscale"}
READ_BY_POST = {f"{API}/simulate"} | TAKES_FILES
"""They change nothing, so that a token that may only read may ask for them."""
FORM = "multipart/form-data; boundary=x"


def method_of(route: Route) -> str:
    """The method that a route is for."""
    return "POST" if "POST" in (route.methods or set()) else "GET"


EVERY = [pytest.param(route, id=route.path) for route in ROUTES]
BEHIND_LOGIN = [pytest.param(route, id=route.path) for route in ROUTES if route.path not in PAGE | {LOGIN}]
API_ROUTES = [pytest.param(route, id=route.path) for route in ROUTES if route.path not in PAGE]
WRITES = [pytest.param(route, id=route.path) for route in ROUTES if method_of(route) == "POST"]
OF_JSON = [each for each in WRITES if each.values[0].path not in TAKES_FILES]
OF_FILES = [each for each in WRITES if each.values[0].path in TAKES_FILES]
OF_A_PHOTO = [pytest.param(route, id=route.path) for route in ROUTES if "/photos/{id}" in route.path]


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    """One rejected photo; no test changes it."""
    library = Library(tmp_path_factory.mktemp("library"))
    library.add(Verdict.QUARANTINE)
    return library


@pytest.fixture(scope="module")
def client(library: Library) -> Iterator[TestClient]:
    """A client with a session."""
    with library.client() as client:
        yield client


@pytest.fixture(scope="module")
def stranger(library: Library) -> Iterator[TestClient]:
    """A client without a session."""
    with library.client(login=False) as client:
        yield client


def type_of(path: str) -> str:
    """The type of the bodies that a route takes."""
    return FORM if path in TAKES_FILES else "application/json"


def call(client: TestClient, route: Route, headers: dict[str, str] | None = None, **more: str) -> object:
    """Ask a route for photo 1, as a browser does."""
    path = route.path.replace("{path:path}", "none.js").replace("{id}", more.get("id", "1")).replace("{job}", "none")
    given = {"Content-Type": type_of(route.path)} if method_of(route) == "POST" else {}
    content = b"{}" if method_of(route) == "POST" else None
    return client.request(method_of(route), path, headers=given | (headers or {}), content=content)


def assert_problem(answer: object, *statuses: int) -> None:
    """The answer is a problem with one of the statuses, and has the headers of every answer."""
    assert answer.status_code in statuses, (answer.status_code, answer.text)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == answer.status_code
    assert answer.json()["detail"].endswith((".", "`"))
    assert "Traceback" not in answer.text
    for name, value in HEADERS.items():
        assert answer.headers[name] == value


@pytest.mark.parametrize("route", BEHIND_LOGIN)
@pytest.mark.parametrize(
    "headers",
    [{}, {"Cookie": "culld-00000000=x"}, {"Authorization": "Bearer x"}, {"Authorization": "Basic eDp4"}],
    ids=["nothing", "other cookie", "wrong token", "basic"],
)
def test_nothing_is_shown_without_a_login(stranger: TestClient, route: Route, headers: dict[str, str]) -> None:
    """Only the page itself and the login are open."""
    answer = call(stranger, route, headers | ({} if "Cookie" not in headers else {"Sec-Fetch-Site": "same-origin"}))

    assert_problem(answer, 401)


@pytest.mark.parametrize("route", EVERY)
@pytest.mark.parametrize(
    "host", ["evil.example:8466", "127.0.0.1", "127.0.0.1:80", "localhost:8467", "nas.local.evil", ""]
)
def test_another_host_is_misdirected(client: TestClient, route: Route, host: str) -> None:
    """The guard against DNS rebinding holds with a session as well."""
    assert_problem(call(client, route, {"Host": host}), 421)


@pytest.mark.parametrize("route", API_ROUTES)
@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_another_page_gets_nothing(client: TestClient, route: Route, site: str) -> None:
    """Whatever the method."""
    assert_problem(call(client, route, {"Sec-Fetch-Site": site}), 403)


@pytest.mark.parametrize("route", API_ROUTES)
@pytest.mark.parametrize("origin", ["http://evil.example", "null", "https://127.0.0.1:8466", "http://127.0.0.1"])
def test_a_foreign_origin_gets_nothing(library: Library, route: Route, origin: str) -> None:
    """Also from a browser that sends no Sec-Fetch-Site."""
    with library.client() as client:
        del client.headers["Sec-Fetch-Site"]

        assert_problem(call(client, route, {"Origin": origin}), 403)


@pytest.mark.parametrize("route", WRITES)
def test_a_write_with_a_cookie_names_its_page(library: Library, route: Route) -> None:
    """Neither Sec-Fetch-Site nor Origin: refused."""
    with library.client() as client:
        del client.headers["Sec-Fetch-Site"]

        assert_problem(call(client, route), 403)


@pytest.mark.parametrize("route", WRITES)
@pytest.mark.parametrize("site", ["none", "nonsense"])
def test_a_write_that_no_page_made_is_refused(client: TestClient, route: Route, site: str) -> None:
    """`none` is a bookmark or the address bar."""
    assert_problem(call(client, route, {"Sec-Fetch-Site": site}), 403)


@pytest.mark.parametrize("route", OF_JSON)
@pytest.mark.parametrize("type_", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_a_form_of_another_page_is_refused(client: TestClient, route: Route, type_: str) -> None:
    """A browser sends these types across origins without asking first."""
    assert_problem(call(client, route, {"Content-Type": type_}), 415)


@pytest.mark.parametrize("route", OF_JSON)
def test_a_body_beyond_the_limit_is_refused(client: TestClient, route: Route) -> None:
    """With its length, with a length that is none, and without one, unless it is not read at all."""
    path = route.path
    big = b" " * (MOST_BYTES + 1)
    head = {"Content-Type": "application/json"}

    assert_problem(client.post(path, content=big, headers=head), 413)
    assert_problem(client.post(path, content=b"{}", headers=head | {"Content-Length": "-1"}), 413)
    if path != f"{API}/logout":
        assert_problem(client.post(path, content=iter([big[:MOST_BYTES], b"  "]), headers=head), 413)


@pytest.mark.parametrize("route", OF_FILES)
@pytest.mark.parametrize("type_", ["application/json", "text/plain", "application/x-www-form-urlencoded", ""])
def test_what_takes_files_takes_nothing_else(client: TestClient, route: Route, type_: str) -> None:
    """A form with files needs its own type."""
    assert_problem(call(client, route, {"Content-Type": type_}), 415)


@pytest.mark.parametrize("route", OF_FILES)
def test_files_beyond_the_limit_are_refused(client: TestClient, route: Route) -> None:
    """By the length that is named, and without one as soon as too much has come."""
    head = {"Content-Type": FORM}
    start = b'--x\r\nContent-Disposition: form-data; name="image"; filename="a"\r\n\r\n'
    if route.path == f"{API}/compare":
        start = start.replace(b"image", b"first")
    block = bytes(1 << 20)
    long = (start if number == 0 else block for number in range((MOST_OF_FILES >> 20) + 2))

    assert_problem(client.post(route.path, content=b"", headers=head | {"Content-Length": "-1"}), 413)
    most = str(MOST_OF_FILES + 1)
    assert_problem(client.post(route.path, content=b"", headers=head | {"Content-Length": most}), 413)
    assert_problem(client.post(route.path, content=long, headers=head), 413, 501)


@pytest.mark.parametrize(
    "path", ["/upscale", "/upscale/", "/upscale/x", "/upscale/x/y", "/upscale/%2e%2e", "/api/", "/api/x"]
)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT"])
def test_a_stranger_learns_nothing_of_the_paths_of_the_api(stranger: TestClient, path: str, method: str) -> None:
    """Also of those that no route has."""
    access = access_to(path)
    assert access is not None
    type_ = FORM if access.takes_files else "application/json"

    assert_problem(stranger.request(method, path, headers={"Content-Type": type_}, content=b"{}"), 401)


def test_only_the_page_itself_is_outside_of_the_api() -> None:
    """A route that is added is behind the login, unless it is one of the page."""
    assert {route.path for route in ROUTES if access_to(route.path) is None} == PAGE
    assert [route.path for route in ROUTES if (access := access_to(route.path)) and not access.needs_login] == [LOGIN]


@pytest.mark.parametrize("route", [each for each in OF_JSON if each.values[0].path != f"{API}/logout"])
@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'"x"', b"\xff", b"[" * 100_000, b'{"items": 1e999}'])
def test_a_body_that_is_no_object_is_refused(client: TestClient, route: Route, body: bytes) -> None:
    """Truncated, of another type, not UTF-8, too deep."""
    answer = client.post(route.path, content=body, headers={"Content-Type": "application/json"})

    assert_problem(answer, 400, 422, *([401] if route.path == LOGIN else []))


@pytest.mark.parametrize("route", BEHIND_LOGIN)
def test_a_token_that_only_reads_leaves_nothing(library: Library, route: Route) -> None:
    """Every method but GET needs the scope `answer`, except those that change nothing."""
    with library.client(scope=Scope.READ) as client:
        if route.path == f"{API}/events":
            return  # it would not end
        answer = call(client, route)

    if method_of(route) == "POST" and route.path not in READ_BY_POST:
        assert_problem(answer, 403)
    else:
        assert answer.status_code not in {401, 403}


@pytest.mark.parametrize("route", EVERY)
@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW"])
def test_no_other_method_is_taken(client: TestClient, route: Route, method: str) -> None:
    """Also no preflight of CORS: no other origin is ever allowed."""
    path = route.path.replace("{path:path}", "none.js").replace("{id}", "1")
    answer = client.request(method, path, headers={"Content-Type": type_of(path)}, content=b"{}")

    assert_problem(answer, 405)
    assert not any(name.lower().startswith("access-control") for name in answer.headers)


@pytest.mark.parametrize("route", OF_A_PHOTO)
@pytest.mark.parametrize(
    "number",
    ["2", "0", "-1", "9999999999999999", "18446744073709551617", "1.0", "1e0", "%31%00", "..%2f1", "x", "\u0661"],
)
def test_a_photo_of_another_library_is_not_found(client: TestClient, route: Route, number: str) -> None:
    """Only numbers of this journal, in plain digits."""
    answer = call(client, route, id=number)
    if route.path.endswith(("/crop", "/heat")):  # their own parameters are missing as well
        assert_problem(answer, 404, 422)
    else:
        assert_problem(answer, 404)


@pytest.mark.parametrize(
    "path",
    ["/s/../c.yaml", "/s/%2e%2e/c.yaml", "/s/..%2f..%2fc.yaml", "/s//etc/passwd", "/s/%00", "/c.yaml", "/api", "/api/",
     "/api/v1", "/api/v2/index", "/api/v1/photos/1/../../session/x", "/api/v1/index/", "//evil.example/", "/S/app.js"],
)  # fmt: skip
def test_no_path_leads_out(client: TestClient, path: str) -> None:
    """No path of a request reaches the disk."""
    assert_problem(client.get(path, follow_redirects=False), 404)


def test_a_fault_shows_no_traceback(library: Library) -> None:
    """The log has it."""

    class Broken:
        create_heat = None

        async def make(self, _: object) -> list[bytes]:
            raise RuntimeError("secret")

        async def close(self) -> None:
            pass

    with library.client(pool=Broken()) as client:
        answer = client.get(f"{API}/photos/1/thumb")

    assert_problem(answer, 500)
    assert "secret" not in answer.text


def test_the_headers_are_on_every_answer(client: TestClient) -> None:
    """Also on a good one; and no answer of the API is kept by a cache that others share."""
    for path in ("/api/v1/session", "/api/v1/index", "/api/v1/photos?ids=1"):
        answer = client.get(path)
        assert answer.status_code == 200
        assert all(answer.headers[name] == value for name, value in HEADERS.items())
        assert answer.headers["cache-control"] in {"no-store", "private, no-cache"}


def test_the_page_is_open_and_its_files_are_fixed_at_the_start(library: Library, tmp_path: Path) -> None:
    """It holds nothing of the library."""
    page = tmp_path / "page"
    page.mkdir()
    (page / "index.html").write_text("<!doctype html>")
    (page / "app.js").write_text("1")
    (page / "secret.py").write_text("1")
    (page / "link.js").symlink_to("/etc/hostname")
    with TestClient(library.application(page=page), BASE) as client:
        assert client.get("/").headers["content-type"] == "text/html; charset=utf-8"
        answer = client.get("/s/app.js")
        assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
        assert client.get("/s/app.js", headers={"If-None-Match": answer.headers["etag"]}).status_code == 304
        assert client.get("/s/secret.py").status_code == 404


@pytest.mark.parametrize("host", ["nas.local:8466", "NAS.local", "localhost:8466", "[::1]:8466"])
def test_the_own_names_are_allowed(client: TestClient, host: str) -> None:
    """Those of this machine, and those of the configuration."""
    assert client.get(f"{API}/session", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("origin", ["http://nas.local:8466", "https://nas.local", "http://127.0.0.1:8466"])
def test_the_own_origins_may_write(library: Library, origin: str) -> None:
    """Browsers send no Sec-Fetch-Site to plain addresses other than this machine's."""
    with library.client() as client:
        del client.headers["Sec-Fetch-Site"]
        answer = client.post(f"{API}/simulate", json={}, headers={"Origin": origin})

    assert answer.status_code == 200


def test_hosts_behind_a_proxy() -> None:
    """A Unix socket has no port, so that only names without one, and those with their own, are allowed."""
    hosts = AllowedHosts.of(None, ("cull.example", "other.example:8443"))

    assert hosts.allows("cull.example")
    assert hosts.allows("other.example:8443")
    assert hosts.allows_origin("https://cull.example")
    assert not hosts.allows("cull.example:8466")
    assert not hosts.allows("127.0.0.1:8466")
