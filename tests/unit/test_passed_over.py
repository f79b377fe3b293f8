"""Pictures of formats that culld does not read: they are counted, and told once."""

from __future__ import annotations

import logging
from collections import Counter
from pathlib import Path

import pytest

from culld.imaging.formats import other_extensions, supported_extensions
from culld.stages.watch.passed_over import PassedOver, sentence
from culld.stages.watch.scanner import Scanner


def test_each_format_is_logged_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """However many files of it there are, and however often they are seen."""
    for name in ("a.bmp", "b.BMP", "c.gif", "notes.txt", ".hidden.bmp", "d.bmp.part"):
        (tmp_path / name).write_bytes(b"")
    scanner = Scanner({".jpg"}, others={".bmp", ".gif"})

    with caplog.at_level(logging.INFO):
        for _ in range(2):
            assert list(scanner.scan(tmp_path)) == []

    assert scanner.passed_over.counts() == {".bmp": 2, ".gif": 1}
    assert [record.getMessage().split()[0] for record in caplog.records] == [".bmp", ".gif"]


def test_files_that_are_gone_are_not_counted(tmp_path: Path) -> None:
    """The counts are those of the last scan."""
    (tmp_path / "a.bmp").write_bytes(b"")
    scanner = Scanner({".jpg"}, others={".bmp"})
    list(scanner.scan(tmp_path))
    (tmp_path / "a.bmp").unlink()
    list(scanner.scan(tmp_path))

    assert scanner.passed_over.counts() == {}


def test_the_sentence_counts() -> None:
    """In all, and each format."""
    assert sentence({}) == ""
    assert sentence({".gif": 1, ".bmp": 2}).startswith("3 pictures passed over")
    assert sentence({".gif": 1, ".bmp": 2}).endswith(": 2 .bmp, 1 .gif")
    assert sentence({".gif": 1}).startswith("1 picture passed over")


def test_folders_are_summed() -> None:
    """Each has its own files."""
    passed_over = PassedOver()
    passed_over.note(Path("/a"), Counter({".bmp": 1}))
    passed_over.note(Path("/b"), Counter({".bmp": 2, ".psd": 1}))

    assert passed_over.counts() == {".bmp": 3, ".psd": 1}


def test_no_format_is_read_and_passed_over() -> None:
    """RAW files are in one of the two, by the extra that is installed."""
    assert not other_extensions() & supported_extensions()
    assert ".cr2" in other_extensions() | supported_extensions()
