"""The systemd units: valid, complete, and as closed as they claim."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from culld.errors import ConfigError
from culld.system.systemd.unit_files import Installation, Scope, render

UNITS = Path(__file__).resolve().parents[2] / "systemd"
NAMES = ["culld.service", "culld-user.service"]

SERVICE = {
    "Type": ["notify"],
    "ExecReload": ["/bin/sh -c 'kill -HUP $MAINPID'"],
    "WatchdogSec": ["60"],
    "Restart": ["on-failure"],
    "RestartPreventExitStatus": ["2"],
    "OOMPolicy": ["continue"],
    "KillMode": ["mixed"],
    "NoNewPrivileges": ["yes"],
}
HARDENED = {
    "User": ["culld"],
    "StateDirectory": ["culld"],
    "ProtectSystem": ["strict"],
    "PrivateNetwork": ["yes"],
    "CapabilityBoundingSet": [""],
    "RestrictNamespaces": ["yes"],
}


def settings(name: str) -> dict[str, list[str]]:
    """The settings of a unit; one that is given several times has several values."""
    found: dict[str, list[str]] = {}
    for line in (UNITS / name).read_text().splitlines():
        if "=" in line and not line.startswith("#"):
            key, _, value = line.partition("=")
            found.setdefault(key, []).append(value)
    return found


def analyze(*arguments: str, runtime: Path, **more: str) -> subprocess.CompletedProcess[str]:
    """Run systemd-analyze, or skip where there is none; `runtime` stands for a user's runtime folder."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("needs systemd-analyze")
    environ = os.environ | {"XDG_RUNTIME_DIR": str(runtime), "SYSTEMD_COLORS": "0", "LC_ALL": "C"} | more
    return subprocess.run(
        ["systemd-analyze", *arguments], capture_output=True, text=True, check=False, env=environ, timeout=50
    )


def installed(name: str, folder: Path) -> Path:
    """A copy of a unit whose command is there: the verifier wants to see it."""
    unit = folder / name
    unit.write_text(re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", (UNITS / name).read_text(), flags=re.MULTILINE))
    return unit


# 65 is PR_SET_MDWE of Linux 6.3, the kernel's own form of MemoryDenyWriteExecute; 77 says that there is none.
WITHOUT_NEW_CODE = """
import ctypes, io, sys
from pathlib import Path

if ctypes.CDLL(None).prctl(65, 1, 0, 0, 0) != 0:
    sys.exit(77)

import pillow_heif
from PIL import Image

from culld.imaging.decode import decode
from culld.imaging.image_file import DecodeLimits
from culld.records import Format
from culld.stages.read.scoring import open_litert, score

pillow_heif.register_heif_opener()
network = open_litert(Path(sys.argv[1]))
for kind in (Format.JPEG, Format.PNG, Format.WEBP, Format.TIFF, Format.HEIF, Format.AVIF):
    photo = io.BytesIO()
    Image.effect_noise((640, 480), 60).convert("RGB").save(photo, kind.upper())
    photo.seek(0)
    print(kind, 0 <= score(network, decode(photo, kind, DecodeLimits())).blur <= 1)
"""


@pytest.mark.parametrize("name", NAMES)
def test_a_unit_has_the_settings_that_the_daemon_needs(name: str) -> None:
    """Readiness, reload, watchdog, and no restart for a configuration with mistakes."""
    found = settings(name)

    assert {key: found.get(key) for key in SERVICE} == SERVICE
    assert found["ExecStart"][0].split()[1] == "run"
    assert {"MemoryMax", "TasksMax", "TimeoutStopSec"} <= found.keys()


def test_the_system_unit_has_a_user_of_its_own_and_is_closed() -> None:
    """It writes only to its state and to the folders that are named."""
    found = settings("culld.service")

    assert {key: found.get(key) for key in HARDENED} == HARDENED
    assert found["ReadWritePaths"] == ["-/srv/photos"]


def test_the_user_unit_needs_no_system_rights() -> None:
    """It starts with the session and needs no rights of the system."""
    found = settings("culld-user.service")

    assert found["WantedBy"] == ["default.target"]
    assert not {"User", "ProtectSystem", "PrivateDevices", "CapabilityBoundingSet"} & found.keys()


@pytest.mark.parametrize("name", [*NAMES, "culld-web.service", "culld-web-user.service"])
def test_every_block_of_settings_has_its_reason(name: str) -> None:
    """Every block of settings has a comment."""
    blocks = re.split(r"\n\s*\n", (UNITS / name).read_text())
    unexplained = [
        block for block in blocks if "=" in block and "#" not in block and not re.match(r"\[Install\]|User=", block)
    ]

    assert unexplained == []


@pytest.mark.parametrize(("name", "manager"), [("culld.service", "--system"), ("culld-user.service", "--user")])
def test_systemd_finds_nothing_wrong(name: str, manager: str, tmp_path: Path) -> None:
    """Not even a warning: older versions pass over an unknown key and report success."""
    result = analyze(manager, "verify", "--recursive-errors=yes", str(installed(name, tmp_path)), runtime=tmp_path)

    assert (result.returncode, result.stdout + result.stderr) == (0, "")


def test_systemd_finds_nothing_wrong_with_a_unit_that_was_filled_in(tmp_path: Path) -> None:
    """Whatever the paths look like."""
    found = Installation(
        Scope.SYSTEM,
        Path("/bin/true"),
        tmp_path / 'my "config" 50%.yaml',
        (tmp_path / "my photos", Path("/home/ann/$x")),
        (Path("/root/venv"),),
    )
    unit = tmp_path / "culld.service"
    unit.write_text(render((UNITS / "culld.service").read_text(), found))

    result = analyze("--system", "verify", "--recursive-errors=yes", str(unit), runtime=tmp_path)

    assert (result.returncode, result.stdout + result.stderr) == (0, "")


def test_systemd_reads_every_path_as_it_is_on_the_disk(tmp_path: Path) -> None:
    """Dollars, colons, quotes, blanks, backslashes and percent signs; systemd prints them in its debugging output."""
    photos = tuple(Path(f"/home/ann/{name}") for name in ("a$b", "c:d", 'e"f', "g h:i", "k\\l", "100%", "m'n"))
    found = Installation(Scope.SYSTEM, Path("/opt/cu$t/culld"), Path("/etc/a$b.yaml"), photos, (Path("/root/v:1"),))
    unit = tmp_path / "culld.service"
    unit.write_text(render((UNITS / "culld.service").read_text(), found))

    output = analyze("--system", "verify", str(unit), runtime=tmp_path, SYSTEMD_LOG_LEVEL="debug")
    if "ReadWritePaths: " not in output.stdout:
        pytest.skip("needs a systemd-analyze that prints what it read")

    assert "ReadWritePaths: " + " ".join(f"-{path}" for path in photos) in output.stdout
    for path in photos:
        assert f"BindPaths: {path}:{path}:rbind" in output.stdout.replace("BindPaths: -", "BindPaths: ")
        assert f"RequiresMountsFor: {path} " in output.stdout
    assert "BindReadOnlyPaths: -/root/v:1:/root/v:1:rbind" in output.stdout
    assert "Command /opt/cu$t/culld is not executable" in output.stderr
    assert '--config "/etc/a\\$\\$b.yaml"' in output.stdout


@pytest.mark.parametrize("name", ["a\nExecStartPre=/bin/rm", "a\tb", "a\x1b[2J", "caf\udce9"])
def test_a_path_that_a_unit_file_cannot_hold_is_refused(name: str) -> None:
    """A line break would begin a setting of its own; systemd passes over a line that is not UTF-8."""
    found = Installation(Scope.SYSTEM, Path("/bin/true"), Path("/etc/c.yaml"), (Path("/srv") / name,), ())

    with pytest.raises(ConfigError, match="a systemd unit cannot name it, because it has a control character"):
        render((UNITS / "culld.service").read_text(), found)


def test_the_verifier_would_find_a_mistake(tmp_path: Path) -> None:
    """The test above can fail."""
    unit = installed("culld.service", tmp_path)
    unit.write_text(unit.read_text().replace("WatchdogSec", "WatchdogSecs"))

    result = analyze("--system", "verify", "--recursive-errors=yes", str(unit), runtime=tmp_path)

    assert "WatchdogSecs" in result.stderr


@pytest.mark.parametrize(
    ("name", "drop_in", "most"),
    [("culld.service", "", 5), ("culld.service", "gpu.conf", 10), ("culld-web.service", "", 5)],
)
def test_the_system_unit_exposes_next_to_nothing(name: str, drop_in: str, most: int, tmp_path: Path) -> None:
    """At most 0.5 of 10 by systemd's own measure, 1.0 with the GPU; a plain unit has 9.6."""
    unit = installed(name, tmp_path)
    if drop_in:  # as systemd reads it: after the unit's own lines
        added = (UNITS / "culld.service.d" / drop_in).read_text().partition("[Service]\n")[2]
        unit.write_text(unit.read_text().replace("[Install]", f"{added}\n[Install]"))
    result = analyze("security", "--offline=true", f"--threshold={most}", "--no-pager", str(unit), runtime=tmp_path)
    if "unrecognized option" in result.stderr:
        pytest.skip("needs systemd 250 or newer, which can judge a unit that is not loaded")

    assert result.returncode == 0, result.stdout


def test_photos_are_judged_without_making_code_at_run_time() -> None:
    """Every decoder and the engine work under MemoryDenyWriteExecute, which the system unit sets."""
    model = UNITS.parent / "models" / "defects" / "model.tflite"
    command = [sys.executable, "-c", WITHOUT_NEW_CODE, str(model)]
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=50)
    if result.returncode == 77:
        pytest.skip("needs Linux 6.3 or newer, which can forbid such memory to one process")

    assert settings("culld.service")["MemoryDenyWriteExecute"] == ["yes"]
    assert result.returncode == 0, result.stderr
    assert result.stdout.split() == [
        word for kind in ("jpeg", "png", "webp", "tiff", "heif", "avif") for word in (kind, "True")
    ]
