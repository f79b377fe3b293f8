"""The units of the review page: closed, valid, and with the paths of the installation."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from culld.errors import ConfigError
from culld.system.data_files import unit_folder
from culld.system.systemd.install import Write, acl_commands
from culld.system.systemd.unit_files import HEADER, Installation, Scope, render_web
from culld.system.systemd.web import install_web, uninstall_web

UNITS = Path(__file__).resolve().parents[2] / "systemd"
STATE = Path("/var/lib/culld")
FOUND = Installation(
    Scope.SYSTEM,
    Path("/root/venv/bin/culld"),
    Path("/etc/culld/config.yaml"),
    (Path("/srv/my photos"), Path("/home/ann/Pictures")),
    (Path("/root/venv"),),
)
CLOSED = {
    "User": ["culld-web"],
    "SupplementaryGroups": ["culld"],
    "ProtectSystem": ["strict"],
    "ReadWritePaths": ["-/var/lib/culld/wishes -/var/lib/culld/web"],
    "PrivateNetwork": ["yes"],
    "RestrictAddressFamilies": ["AF_UNIX"],
    "IPAddressDeny": ["any"],
    "CapabilityBoundingSet": [""],
    "MemoryDenyWriteExecute": ["yes"],
}


def settings(text: str) -> dict[str, list[str]]:
    """The settings of a unit; one that is given several times has several values."""
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        if "=" in line and not line.startswith("#"):
            key, _, value = line.partition("=")
            found.setdefault(key, []).append(value)
    return found


def test_the_page_can_write_to_nothing_but_the_folder_of_wishes() -> None:
    """Photos, journal and network are out of reach of the process that speaks HTTP."""
    found = settings((UNITS / "culld-web.service").read_text())

    assert {key: found.get(key) for key in CLOSED} == CLOSED
    assert "BindPaths" not in found


def test_the_socket_takes_connections_of_this_machine_only() -> None:
    """The limits of a service do not concern a socket that it is given, so the socket has them itself."""
    found = settings((UNITS / "culld-web.socket").read_text())

    assert (found["IPAddressDeny"], found["IPAddressAllow"]) == (["any"], ["localhost"])
    assert found["ListenStream"] == ["127.0.0.1:8466"]
    assert settings((UNITS / "culld-web-user.socket").read_text())["ListenStream"] == ["127.0.0.1:8466"]


def test_the_paths_of_the_installation_are_filled_in_for_reading() -> None:
    """Homes are empty for the page; what it reads there is bound read-only."""
    found = settings(render_web((UNITS / "culld-web.service").read_text(), FOUND, Path("/data/state")))

    assert found["ExecStart"] == ["/root/venv/bin/culld web --config /etc/culld/config.yaml --idle 15m"]
    assert found["ReadWritePaths"] == ["-/data/state/wishes -/data/state/web"]
    assert found["RequiresMountsFor"] == ['"/srv/my photos" /home/ann/Pictures']
    assert found["BindReadOnlyPaths"] == ["-/home/ann/Pictures", "-/root/venv"]


def test_the_steps_for_one_person_need_no_rights() -> None:
    """Neither a user of its own nor a folder of the system."""
    steps = [
        str(step) for step in install_web(replace(FOUND, scope=Scope.USER), STATE, unit_folder(), {"HOME": "/home/ann"})
    ]

    assert steps == [
        "write   /home/ann/.config/systemd/user/culld-web.socket",
        "write   /home/ann/.config/systemd/user/culld-web.service",
        "run     systemctl --user daemon-reload",
        "run     systemctl --user enable --now culld-web.socket",
    ]


def test_the_service_of_the_system_gets_a_user_of_its_own() -> None:
    """The user comes before the socket that starts a process of that user."""
    steps = [str(step) for step in install_web(FOUND, STATE, unit_folder(), {})]

    user = steps.index("run     systemd-sysusers culld.conf culld-web.conf")
    assert steps[user + 1] == "run     install -d -o culld-web -g culld -m 2770 /var/lib/culld/wishes"
    assert steps[user + 2] == "run     install -d -o culld-web -g culld-web -m 0700 /var/lib/culld/web"
    assert steps[-1] == "run     systemctl enable --now culld-web.socket"


def test_what_was_installed_is_removed(tmp_path: Path) -> None:
    """Nothing is run where the page is not installed."""
    environ = {"XDG_CONFIG_HOME": str(tmp_path)}
    assert list(uninstall_web(Scope.USER, environ)) == []
    Write(tmp_path / "systemd" / "user" / "culld-web.socket", HEADER).do()

    steps = [str(step) for step in uninstall_web(Scope.USER, environ)]

    assert f"remove  {tmp_path}/systemd/user/culld-web.socket" in steps
    assert f"remove  {tmp_path}/systemd/user/culld-web.service" in steps


def test_a_path_that_a_unit_cannot_hold_is_refused() -> None:
    """A line break would begin a setting of its own."""
    with pytest.raises(ConfigError, match="a systemd unit cannot name it"):
        render_web((UNITS / "culld-web.service").read_text(), FOUND, Path("/a\nExecStartPre=/bin/rm"))


def test_the_right_to_read_is_enough_for_the_page(tmp_path: Path) -> None:
    """The command grants no right to write."""
    (closed := tmp_path / "closed").mkdir(mode=0o700)
    (readable := tmp_path / "readable").mkdir(mode=0o755)

    assert list(acl_commands([closed, readable], "nobody", write=False)) == [
        f"setfacl -R -m u:nobody:rX,d:u:nobody:rX {closed}"
    ]


@pytest.mark.parametrize(
    ("kind", "manager"), [("culld-web", "--system"), ("culld-web-user", "--user")], ids=["system", "user"]
)
def test_systemd_finds_nothing_wrong_with_socket_and_service(kind: str, manager: str, tmp_path: Path) -> None:
    """Not even a warning."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("needs systemd-analyze")
    for unit in ("socket", "service"):
        text = re.sub(
            r"^ExecStart=\S+", "ExecStart=/bin/true", (UNITS / f"{kind}.{unit}").read_text(), flags=re.MULTILINE
        )
        (tmp_path / f"culld-web.{unit}").write_text(text)
    environ = os.environ | {"XDG_RUNTIME_DIR": str(tmp_path), "SYSTEMD_COLORS": "0", "LC_ALL": "C"}
    command = ["systemd-analyze", manager, "verify", "--recursive-errors=yes"]
    command += [str(tmp_path / "culld-web.socket"), str(tmp_path / "culld-web.service")]

    result = subprocess.run(command, capture_output=True, text=True, check=False, env=environ, timeout=50)

    assert (result.returncode, result.stdout + result.stderr) == (0, "")
