"""What a person sees on terminals of 60, 80 and 200 columns: nothing is wider, and the reason is there."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness import factories
from harness.daemon_process import COMMAND, POLICY, House
from harness.terminal import on_terminal, plain, widest

LONG = "A long name that a person gave to a photo of a mountain lake at sunrise, 2026-11-29 写真.jpg"


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> House:
    """A house in which a sharp and a blurred photo were judged, beside a picture that culld does not read."""
    house = House(tmp_path_factory.mktemp("terminal")).build(POLICY)
    house.drop("sharp.jpg", factories.encoded(factories.picture(1), quality=92))
    house.drop(LONG, factories.encoded(factories.blurred(factories.picture(1)), quality=92))
    house.drop("scan.bmp", b"BM")
    house.culld("once")
    return house


def shown(house: House, columns: int, *arguments: str | Path) -> list[str]:
    """The lines of a command on a terminal."""
    return on_terminal([COMMAND, *arguments, "--config", house.config], columns, house.folder)


@pytest.mark.slow
@pytest.mark.parametrize("columns", [60, 80, 200])
def test_nothing_is_wider_than_the_terminal(judged: House, columns: int) -> None:
    """Of any command that a person calls to look."""
    photo = judged.quarantine / LONG
    looked_at = (["status"], ["log"], ["why", photo], ["report"], ["doctor"], ["doctor", "--verbose"], ["once"])
    undone = ["restore", "--all", "--dry-run"]
    for arguments in (*looked_at, undone):
        lines = shown(judged, columns, *arguments)
        assert lines, arguments
        assert widest(lines) <= columns, arguments
    checked = on_terminal([COMMAND, "policy", "check", judged.config], columns, judged.folder)
    assert 0 < widest(checked) <= columns


@pytest.mark.slow
def test_a_line_of_the_log_has_photo_verdict_and_reason_at_80_columns(judged: House) -> None:
    """In colour, and without the key of the policy, which `why` has."""
    quarantined = next(line for line in shown(judged, 80, "log") if "quarantine" in line)

    assert "\x1b[31mquarantine\x1b[0m" in quarantined
    assert "写真.jpg  blur 0.9" in plain(quarantined)
    assert "≥ 0.97" in plain(quarantined)
    assert any("policy.defects.blur.reject" in line for line in shown(judged, 80, "why", judged.quarantine / LONG))


@pytest.mark.slow
def test_what_is_passed_over_is_said(judged: House) -> None:
    """By `once` and by `status`."""
    assert "1 picture passed over" in judged.culld("once")
    assert any(line.startswith("1 picture passed over") or "bmp" in line for line in shown(judged, 80, "once"))


@pytest.mark.slow
def test_where_there_is_nothing_it_is_said(house: House, tmp_path: Path) -> None:
    """And it is no error that culld has not run yet."""
    for command in ("status", "log", "report"):
        assert "culld has not run yet" in house.culld(command)
    assert house.culld("once") == "nothing new\n"
    assert house.culld("log", "--verdict", "tag", "--since", "2026-01-01") == "no tag decision since 2026-01-01 00:00\n"
    (tmp_path / "empty").mkdir()
    assert house.culld("score", str(tmp_path / "empty")) == "no photo to score\n"
