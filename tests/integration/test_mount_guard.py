"""The mount guard tells a folder from the empty mount point of its disk."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from culld.files.mount_guard import ANCHOR, FolderState, MountGuard, unavailable_reason
from culld.journal.store import SqliteJournal
from harness.fakes import FakeClock

FOLDER = Path("/photos")


@dataclass
class Remembered:
    """The journal's memory of devices."""

    devices: dict[Path, int] = field(default_factory=dict)

    def device_of(self, folder: Path) -> int | None:
        """Return the remembered device."""
        return self.devices.get(folder)

    def remember_device(self, folder: Path, device: int) -> None:
        """Keep it."""
        self.devices[folder] = device


@pytest.mark.parametrize(
    ("state", "known", "expected"),
    [
        (FolderState(1, anchored=True), None, ""),
        (FolderState(1, anchored=False), None, ""),
        (FolderState(1, anchored=True), 2, ""),
        (FolderState(1, anchored=False), 1, ""),
        (FolderState(1, anchored=False), 2, "is on another disk than before"),
        (None, 1, "is missing"),
        (None, None, "is missing"),
    ],
)
def test_a_folder_is_itself_by_its_anchor_or_by_its_device(
    state: FolderState | None, known: int | None, expected: str
) -> None:
    """A network share may get a new device number, and a user may remove the hidden anchor; rarely both."""
    found = unavailable_reason(FOLDER, state, known)

    assert bool(found) == bool(expected)
    assert found.startswith(expected)


def test_a_folder_gets_its_anchor_when_it_is_first_used(tmp_path: Path) -> None:
    """And where it is, is remembered."""
    remembered = Remembered()

    assert MountGuard(remembered).unavailable_reason(tmp_path) == ""
    assert (tmp_path / ANCHOR).is_dir()
    assert remembered.devices == {tmp_path: tmp_path.stat().st_dev}


def test_an_empty_mount_point_is_not_taken_for_the_folder(tmp_path: Path) -> None:
    """No file is left in it; a user who confirms the folder makes the anchor by hand, as the message explains."""
    remembered = Remembered({tmp_path: tmp_path.stat().st_dev + 1})
    anchors = MountGuard(remembered)

    assert f"mkdir {tmp_path / ANCHOR}" in anchors.unavailable_reason(tmp_path)
    assert list(tmp_path.iterdir()) == []

    (tmp_path / ANCHOR).mkdir()
    assert anchors.unavailable_reason(tmp_path) == ""
    assert remembered.devices == {tmp_path: tmp_path.stat().st_dev}


def test_a_quarantine_is_not_made_on_an_empty_mount_point(tmp_path: Path) -> None:
    """Its disk will come back; photos on the disk below it would be hidden then."""
    quarantine = tmp_path / "disk" / "quarantine"
    remembered = Remembered({quarantine: tmp_path.stat().st_dev + 1})

    assert MountGuard(remembered).ensure(quarantine).startswith("is on another disk")
    assert not quarantine.exists()


def test_a_quarantine_that_is_missing_on_its_own_disk_is_made(tmp_path: Path) -> None:
    """At the first start, and after it was removed."""
    quarantine = tmp_path / "deep" / "quarantine"
    anchors = MountGuard(Remembered())

    assert anchors.ensure(quarantine) == ""
    (quarantine / ANCHOR).rmdir()
    quarantine.rmdir()
    assert anchors.ensure(quarantine) == ""
    assert (quarantine / ANCHOR).is_dir()


def test_a_quarantine_that_cannot_be_made_has_a_reason(tmp_path: Path) -> None:
    """A file stands where a folder should be."""
    (tmp_path / "file").touch()

    assert "cannot be made" in MountGuard(Remembered()).ensure(tmp_path / "file" / "quarantine")


def test_a_read_only_check_changes_nothing(tmp_path: Path) -> None:
    """Every user may run `culld status`."""
    remembered = Remembered()

    assert MountGuard(remembered).check(tmp_path) == ""
    assert (list(tmp_path.iterdir()), remembered.devices) == ([], {})


@pytest.mark.parametrize("device", [7, 2**63 + 5])
def test_the_journal_remembers_devices_of_any_name_and_number(tmp_path: Path, device: int) -> None:
    """Names are bytes; some file systems use all 64 bits."""
    folder = Path("/photos/\udcff")
    with SqliteJournal.open(tmp_path / "journal.sqlite", FakeClock()) as journal:
        assert journal.device_of(folder) is None

        journal.remember_device(folder, 1)
        journal.remember_device(folder, device)

        assert journal.device_of(folder) == device
