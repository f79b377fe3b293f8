"""The files and steps of `culld service install`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from culld.errors import SystemFaultError
from culld.system.data_files import unit_folder
from culld.system.systemd.install import Remove, Run, Write, acl_commands, install, linger_steps, uninstall
from culld.system.systemd.unit_files import HEADER, Installation, Scope, quoted, render

ENVIRON = {"HOME": "/home/ann"}


def found(scope: Scope = Scope.SYSTEM) -> Installation:
    """An installation in a home, with photos in another and on a disk."""
    return Installation(
        scope,
        Path("/root/venv/bin/culld"),
        Path("/etc/culld/config.yaml"),
        (Path("/srv/my photos"), Path("/home/ann/Pictures/Import")),
        (Path("/root/venv"), Path("/root/venv/lib"), Path("/opt/python")),
    )


def settings(text: str) -> list[str]:
    """Return the lines of a unit without comments and blank lines."""
    return [line for line in text.splitlines() if "=" in line and not line.startswith("#")]


def test_the_paths_of_the_installation_are_filled_in() -> None:
    """Also those that the sandbox would hide: homes are empty for the service."""
    lines = settings(render((unit_folder() / "culld.service").read_text(), found()))

    for expected in (
        "ExecStart=/root/venv/bin/culld run --config /etc/culld/config.yaml",
        'RequiresMountsFor="/srv/my photos" /home/ann/Pictures/Import',
        'ReadWritePaths=-"/srv/my photos" -/home/ann/Pictures/Import',
        "BindPaths=-/home/ann/Pictures/Import",
        "BindReadOnlyPaths=-/root/venv",
    ):
        assert expected in lines
    assert len([line for line in lines if line.startswith("Bind")]) == 2


@pytest.mark.parametrize(
    ("path", "expected"),
    [("/a/b", "/a/b"), ("/a b", '"/a b"'), ("/50%", "/50%%"), ("/$x", "/$x"), ("/a:b", "/a:b"), ('/"\\', '"/\\"\\\\"')],
)
def test_paths_are_written_as_unit_files_take_them(path: str, expected: str) -> None:
    """No specifier, no variable, no end of the quotes."""
    assert quoted(Path(path)) == expected


def test_a_template_without_the_line_is_refused() -> None:
    """Otherwise the service would run another culld."""
    with pytest.raises(ValueError, match="ExecStart 0 times"):
        render("[Service]\n", found())


def test_the_steps_can_be_read_before_they_are_done() -> None:
    """A user's service needs no rights and no other user."""
    steps = [str(step) for step in install(found(Scope.USER), unit_folder(), ENVIRON)]

    assert steps == [
        "write   /home/ann/.config/systemd/user/culld.service",
        "run     systemctl --user daemon-reload",
        "run     systemctl --user enable --now culld",
    ]
    assert "run     systemd-sysusers culld.conf" in map(str, install(found(), unit_folder(), ENVIRON))
    assert "remove  /etc/sysusers.d/culld.conf" in map(str, uninstall(Scope.SYSTEM, ENVIRON))


def test_libraries_share_a_template_and_have_a_drop_in_each() -> None:
    """Each with a configuration, a state folder and paths of its own."""
    library = replace(found(), library="weddings")
    steps = list(install(library, unit_folder(), ENVIRON))

    assert [str(step) for step in steps[:2]] == [
        "write   /etc/systemd/system/culld@.service",
        "write   /etc/systemd/system/culld@weddings.service.d/paths.conf",
    ]
    template, drop_in = (settings(step.text) for step in steps[:2] if isinstance(step, Write))
    assert "ExecStart=/root/venv/bin/culld run --config /etc/culld/%i.yaml" in template
    assert {"StateDirectory=culld/%i", "ReadWritePaths=", "RequiresMountsFor="} <= set(template)
    assert 'ReadWritePaths=-"/srv/my photos" -/home/ann/Pictures/Import' in drop_in
    assert str(steps[-1]) == "run     systemctl enable --now culld@weddings"
    assert "remove  /etc/systemd/system/culld@.service" in map(str, uninstall(Scope.SYSTEM, ENVIRON, "weddings"))


def test_only_what_culld_wrote_is_removed(tmp_path: Path) -> None:
    """Another unit of the user stays."""
    ours, theirs = tmp_path / "deep" / "ours", tmp_path / "theirs"
    Write(ours, HEADER + "[Unit]\n").do()
    theirs.write_text("[Unit]\n")

    for file in (ours, theirs, tmp_path / "gone"):
        Remove(file).do()

    assert not ours.exists()
    assert theirs.exists()


def test_a_failed_command_is_reported_with_its_output() -> None:
    """Unless it does not matter."""
    with pytest.raises(SystemFaultError, match="sh -c 'echo no; exit 3' failed: no"):
        Run(("sh", "-c", "echo no; exit 3")).do()
    with pytest.raises(SystemFaultError, match="cannot be run"):
        Run(("no-such-systemctl",)).do()
    Run(("sh", "-c", "exit 3"), may_fail=True).do()
    with pytest.raises(SystemFaultError, match="cannot be written"):
        Write(Path("/proc/culld/unit"), "").do()


def test_folders_that_the_user_may_not_enter_are_named_with_the_command_that_helps(tmp_path: Path) -> None:
    """`nobody` is on every machine."""
    closed, opened = tmp_path / "closed", tmp_path / "open"
    closed.mkdir(mode=0o700)
    opened.mkdir()
    opened.chmod(0o777)

    assert list(acl_commands([closed, opened, tmp_path / "gone"], "nobody")) == [
        f"setfacl -R -m u:nobody:rwX,d:u:nobody:rwX {closed}"
    ]
    assert list(acl_commands([closed], "no-such-user")) == []


def test_a_user_who_does_not_linger_is_told_the_command(tmp_path: Path) -> None:
    """As a step that culld does not run, because it concerns all services of the user; root is on every machine."""
    lingering = tmp_path / "linger"

    (step,) = linger_steps(0, lingering)
    assert str(step).startswith("you     loginctl enable-linger    # else culld ends when you log out")
    step.do()
    assert not lingering.exists()

    lingering.mkdir()
    (lingering / "ann").touch()
    assert list(linger_steps(0, lingering)) == [step]
    (lingering / "root").touch()
    assert list(linger_steps(0, lingering)) == []


def test_a_user_without_an_account_is_not_told_to_linger(tmp_path: Path) -> None:
    """As in a container: systemd runs no services for such a user."""
    assert list(linger_steps(4_000_000_000, tmp_path)) == []
