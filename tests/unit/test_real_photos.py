"""Photographs of real defects and hard light: which half is learnt from, and what each shows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from culld.errors import ConfigError
from culld.imaging.encode import jpeg_roundtrip
from culld.training.dataset import Scene
from culld.training.defects.real_photos import GROUP, is_kept_out, pictures, real_scenes

FRAME = np.random.default_rng(3).integers(0, 255, (48, 64, 3), dtype=np.uint8).repeat(8, axis=0).repeat(8, axis=1)
HEAD = "file,kind,repo,licence\n"


def write_index(folder: Path, rows: list[str]) -> None:
    """Write an index of these rows."""
    (folder / "index.csv").write_text(HEAD + "\n".join(rows) + "\n", "utf-8")


def test_the_halves_share_no_photograph_and_leave_none_out(tmp_path: Path) -> None:
    """Each photograph of a kind with a label is on one side; other kinds are on neither."""
    rows = [f"blur/{number}.jpg,blur,someone/set,CC0" for number in range(40)]
    write_index(
        tmp_path, [*rows, "ambiguous/1.jpg,ambiguous,someone/set,CC0", "series/1.jpg,series_burst|night_lowkey,a/b,CC0"]
    )

    learnt, kept = real_scenes(tmp_path), real_scenes(tmp_path, kept_out=True)

    assert {scene.file for scene in learnt}.isdisjoint(scene.file for scene in kept)
    assert len(learnt) + len(kept) == 40
    assert min(len(learnt), len(kept)) > 10


def test_both_frames_of_a_pair_are_on_one_side() -> None:
    """Two exposures of one scene are not split."""
    assert all(
        is_kept_out(f"pair-{ten}{one}.jpg") == is_kept_out(f"pair-{ten}0.jpg")
        for ten in range(10, 60)
        for one in range(10)
    )


def test_a_folder_without_an_index_is_named(tmp_path: Path) -> None:
    """The message names the file and its columns."""
    with pytest.raises(ConfigError, match="needs the columns file, kind, repo and licence"):
        real_scenes(tmp_path)


def test_a_blurred_photograph_is_seen_in_several_views_and_nothing_is_claimed_of_its_light() -> None:
    """The first view is the photograph as it is."""
    scene = Scene("blur/1.jpg", frozenset({"blur"}), "a/b", "CC0")

    made = list(pictures(scene, FRAME, jpeg_roundtrip, np.random.default_rng(0)))

    assert len(made) == 5
    assert {each.group for each in made} == {GROUP}
    assert {each.labels for each in made} == {(1.0, 0.0, 0.0)}
    assert {each.known for each in made} == {(True, False, False)}
    np.testing.assert_array_equal(made[0].frame, FRAME)


def test_a_night_teaches_blur_and_nothing_of_under_exposure() -> None:
    """It is shown as it is, blurred and darkened, with the label of under-exposure unknown."""
    scene = Scene("night/1.jpg", frozenset({"night_lowkey"}), "a/b", "CC0")

    made = list(pictures(scene, FRAME, jpeg_roundtrip, np.random.default_rng(0)))

    assert made[0].labels == (0, 0, 0)
    assert not any(each.known[1] for each in made)
    assert {"black frame", "blur", "clean"} <= {each.group for each in made}
