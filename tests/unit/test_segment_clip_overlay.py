"""The parts of an overlay: legend, ranges of time, held masks, and the pieces of the file."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from culld.app.new_file import new_file
from culld.errors import SystemFaultError
from culld.imaging.clip_reader import ClipFrame
from culld.imaging.clip_writer import Piece, PieceSink
from culld.records.regions import REGION_CLASSES, RegionClass
from culld.segment.clip_legend import ClipLegend
from culld.segment.clip_overlay import ClipOverlay, HeldSegmentation
from culld.segment.clip_regions import RegionTimes
from culld.segment.masks import Segmentation
from culld.segment.picture import COLOURS


def shares(**found: float) -> dict[RegionClass, float]:
    """The shares of a frame: none but these."""
    return dict.fromkeys(REGION_CLASSES, 0.0) | {RegionClass(kind): share for kind, share in found.items()}


def legend(size: tuple[int, int], found: dict[RegionClass, float]) -> np.ndarray:
    """A grey frame of this (width, height) with the legend on it."""
    frame = Image.new("RGB", size, (150, 150, 150))
    ClipLegend(size).draw(frame, found)
    return np.asarray(frame)


def places(frame: np.ndarray, kind: RegionClass) -> list[list[int]]:
    """Where the colour of a class is, as (row, column)."""
    return np.argwhere((frame == COLOURS[kind]).all(axis=2)).tolist()


@pytest.mark.parametrize("size", [(1920, 1080), (1080, 1920), (3840, 2160), (1280, 720)])
def test_a_class_keeps_its_place_in_the_legend(size: tuple[int, int]) -> None:
    """Whatever else is there, and however large it is; every class has room beside the others."""
    one = legend(size, shares(noise=0.3))
    all_ = legend(size, dict.fromkeys(REGION_CLASSES, 1.0))

    assert places(one, RegionClass.NOISE) == places(all_, RegionClass.NOISE) != []
    assert places(one, RegionClass.DEFOCUS) == []
    assert all(places(all_, kind) for kind in COLOURS)
    assert (all_[size[1] // 6 + 1 :] == 150).all()


def test_on_a_small_frame_only_what_is_there_is_in_the_legend() -> None:
    """The largest first, in a third of the frame at most; a frame without room has none."""
    small = legend((320, 240), shares(defocus=0.2, flat=0.5, noise=0.001))
    tiny = legend((40, 30), shares(defocus=0.2))

    assert min(places(small, RegionClass.FLAT)) < min(places(small, RegionClass.DEFOCUS))
    assert places(small, RegionClass.NOISE) == []
    assert (small[81:] == 150).all()
    assert (tiny == 150).all()


def test_shares_are_means_over_time_and_near_ranges_are_one() -> None:
    """A frame that is shown for three seconds counts three times; a gap of half a second does not part a range."""
    times = RegionTimes()
    times.add(0.0, 1.0, shares(defocus=1.0))
    times.add(1.0, 0.4, shares(fine=1.0))
    times.add(1.4, 0.6, shares(defocus=0.5, fine=0.5))
    times.add(2.0, 3.0, shares(fine=1.0))
    times.add(5.0, 1.0, shares(defocus=0.004, flat=0.005))

    assert times.shares[RegionClass.DEFOCUS] == pytest.approx((1.0 + 0.3 + 0.004) / 6)
    assert times.ranges[RegionClass.DEFOCUS] == ((0.0, 2.0),)
    assert times.ranges[RegionClass.FLAT] == ((5.0, 6.0),)
    assert RegionClass.FINE not in times.ranges
    assert (times.seconds, times.frames) == (6.0, 5)


def test_a_clip_without_duration_has_no_shares() -> None:
    """It is not divided by 0."""
    assert set(RegionTimes().shares.values()) == {0.0}


@dataclass
class CountingSegmenter:
    """Finds nothing; counts."""

    asked: list[tuple[int, ...]] = field(default_factory=list)

    def segment(self, pixels: np.ndarray) -> Segmentation:
        """The masks of nothing."""
        self.asked.append(pixels.shape)
        return Segmentation({kind: np.zeros(pixels.shape[:2], np.bool_) for kind in REGION_CLASSES})


@pytest.mark.parametrize(("rate", "wanted"), [(10, 10), (15, 15), (24, 12), (25, 13), (30, 15), (60, 15)])
def test_at_most_fifteen_frames_of_a_second_are_segmented(rate: int, wanted: int) -> None:
    """At times rounded to 1 ms; frames are reduced as photos are."""
    segmenter = CountingSegmenter()
    held = HeldSegmentation(segmenter)  # type: ignore[arg-type]
    for number in range(rate):
        at = round(number / rate, 3)
        held.of(ClipFrame(number, Fraction(1, rate), at, np.zeros((72, 2048, 3), np.uint8)))

    assert len(segmenter.asked) == wanted
    assert set(segmenter.asked) == {(36, 1024, 3)}


def test_contours_are_in_pixels_of_the_frame() -> None:
    """Of masks of half its size; a region without a share in the legend has none."""
    masks = {kind: np.zeros((360, 640), np.bool_) for kind in REGION_CLASSES}
    masks[RegionClass.DEFOCUS][200:300, 100:200] = True
    masks[RegionClass.NOISE][100:105, 400:405] = True

    drawn = ClipOverlay((1280, 720)).drawn(np.full((720, 1280, 3), 150, np.uint8), Segmentation(masks))

    orange = np.array([place for place in places(drawn, RegionClass.DEFOCUS) if place[0] > 60])
    assert orange.min(axis=0).tolist() == pytest.approx([400, 200], abs=4)
    assert orange.max(axis=0).tolist() == pytest.approx([600, 400], abs=4)
    assert [place for place in places(drawn, RegionClass.NOISE) if place[0] > 60] == []
    assert drawn[650, 640].tolist() == [100, 100, 100]


def test_pieces_make_the_file_that_was_written() -> None:
    """In order: what is written again later lies over what was there; nothing is given twice."""
    sink, file = PieceSink(), bytearray()
    sink.write(b"head----body")
    sink.seek(4)
    sink.write(b"size")
    held = sink.held
    sink.seek(0, os.SEEK_END)
    first = sink.take()
    sink.write(b" end")

    for piece in (*first, *sink.take()):
        file[piece.offset : piece.offset + len(piece.data)] = piece.data

    assert (bytes(file), held, sink.held, sink.take()) == (b"headsizebody end", 16, 0, ())


def test_a_new_file_gets_its_name_at_the_end(tmp_path: Path) -> None:
    """Until then it is hidden; with the permissions of any new file."""
    before = os.umask(0o027)
    try:
        with new_file(tmp_path / "o.webm") as file:
            file.write([Piece(0, b"head----"), Piece(4, b"size"), Piece(8, b"!")])
            assert [each.name[0] for each in tmp_path.iterdir()] == ["."]
            file.commit()
    finally:
        os.umask(before)

    assert (tmp_path / "o.webm").read_bytes() == b"headsize!"
    assert (tmp_path / "o.webm").stat().st_mode & 0o777 == 0o640
    assert len(list(tmp_path.iterdir())) == 1


def test_a_new_file_that_is_not_committed_or_has_a_hole_is_removed(tmp_path: Path) -> None:
    """Bytes that begin beyond the end are refused."""
    with new_file(tmp_path / "o.webm") as file:
        file.write([Piece(0, b"a")])
    with pytest.raises(SystemFaultError, match="belong nowhere"), new_file(tmp_path / "o.webm") as file:
        file.write([Piece(1 << 40, b"a")])

    assert list(tmp_path.iterdir()) == []


def test_a_new_file_replaces_none_that_came_meanwhile(tmp_path: Path) -> None:
    """It stays as it is, and the new one is removed."""
    with new_file(tmp_path / "o.webm") as file:
        file.write([Piece(0, b"new")])
        (tmp_path / "o.webm").write_bytes(b"mine")
        with pytest.raises(SystemFaultError, match="is there already"):
            file.commit()

    assert [each.read_bytes() for each in tmp_path.iterdir()] == [b"mine"]
