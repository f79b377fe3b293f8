"""The socket of the page: the one of systemd, or one of its own; and which commands load the server."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from culld.errors import SystemFaultError
from culld.web.server import ServeRequest, cache_folder, own_socket, passed_socket, serve
from harness.review_library import Library


def test_the_own_socket_names_its_protocol() -> None:
    """Else asyncio leaves Nagle's algorithm on, and every answer takes 40 ms longer."""
    with own_socket("127.0.0.1", 0) as listening:
        assert listening.proto == socket.IPPROTO_TCP
        with pytest.raises(SystemFaultError, match=r"cannot listen on .* port"):
            own_socket("127.0.0.1", listening.getsockname()[1])


@pytest.mark.parametrize(
    "environ", [{}, {"LISTEN_PID": "1", "LISTEN_FDS": "1"}, {"LISTEN_FDS": "1"}, {"LISTEN_PID": "x", "LISTEN_FDS": "1"}]
)
def test_a_socket_for_another_process_is_left_alone(environ: dict[str, str]) -> None:
    """The variables may be those of a parent."""
    assert passed_socket(environ, 4711) is None


@pytest.mark.parametrize("count", ["0", "2", "", "x"])
def test_more_than_one_socket_is_a_mistake(count: str) -> None:
    """There is one page."""
    with pytest.raises(SystemFaultError, match="ListenStream"):
        passed_socket({"LISTEN_PID": "4711", "LISTEN_FDS": count}, 4711)


CHECK = """
import os, socket, sys
from culld.errors import SystemFaultError
from culld.web.server import passed_socket
os.dup2(int(sys.argv[1]), 3)
try:
    found = passed_socket({"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "1"}, os.getpid())
    print(found.family.name, found.get_inheritable())
except SystemFaultError as error:
    print(error)
"""


def checked(descriptor: int) -> str:
    """What a process makes of a descriptor that it gets as the first one."""
    command = [sys.executable, "-c", CHECK, str(descriptor)]
    return subprocess.run(command, pass_fds=(descriptor,), capture_output=True, text=True, check=True).stdout


def test_the_socket_of_systemd_is_checked(tmp_path: Path) -> None:
    """It has to listen; a Unix socket serves as well."""
    with socket.socket() as plain:
        assert "does not listen" in checked(plain.fileno())
        plain.listen()
        assert checked(plain.fileno()) == "AF_INET False\n"
    with socket.socket(socket.AF_UNIX) as local:
        local.bind(str(tmp_path / "web.sock"))
        local.listen()
        assert checked(local.fileno()) == "AF_UNIX False\n"
    with (tmp_path / "file").open("w") as file:
        assert "passed no socket" in checked(file.fileno())


def test_the_cache_has_a_folder() -> None:
    """That of systemd, else by the XDG base directory specification, which ignores relative values."""
    assert cache_folder({"CACHE_DIRECTORY": "/var/cache/culld-web:/x"}) == Path("/var/cache/culld-web")
    assert cache_folder({"XDG_CACHE_HOME": "/c", "HOME": "/h"}) == Path("/c/culld/web")
    assert cache_folder({"XDG_CACHE_HOME": "c", "HOME": "/h"}) == Path("/h/.cache/culld/web")


@pytest.mark.parametrize(("password", "hosts"), [(False, True), (True, False), (False, False)])
def test_another_address_needs_a_password_and_names(tmp_path: Path, *, password: bool, hosts: bool) -> None:
    """Before anything is served."""
    library = Library(tmp_path)
    site = library.site()
    if password:
        site.store.set_password("correct horse battery")
    config = site.config
    if not hosts:
        config = config.model_copy(update={"web": config.web.model_copy(update={"hosts": ()})})
    request = ServeRequest("0.0.0.0", 0, timedelta(seconds=1))  # noqa: S104 (it must be refused)
    with pytest.raises(SystemFaultError, match="set a password"):
        serve(library.folder / "c.yaml", config, request, library.environ, print)


LOADED = """
import sys
from culld.cli import main
sys.argv = ["culld"]
try:
    main(sys.argv[1:] + {arguments})
except SystemExit:
    pass
heavy = {{"starlette", "uvicorn", "numpy", "PIL", "sqlite3", "asyncio", "tensorflow"}}
print(sorted(heavy & set(sys.modules)), file=sys.stderr)
"""


@pytest.mark.parametrize("arguments", [["--help"], ["web", "--help"], ["web", "--link"], ["web", "token", "x"]])
def test_other_commands_do_not_load_the_server(tmp_path: Path, arguments: list[str]) -> None:
    """Nor what the server needs."""
    library = Library(tmp_path)
    environ = os.environ | {"CULLD_CONFIG": str(library.folder / "c.yaml")}
    command = [sys.executable, "-c", LOADED.format(arguments=arguments)]
    found = subprocess.run(command, env=environ, capture_output=True, text=True, check=True)

    assert found.stderr.splitlines()[-1] == "[]"
