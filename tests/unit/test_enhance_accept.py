"""A copy is kept only where it is better, and worse nowhere; the reason is one sentence."""

from __future__ import annotations

import numpy as np
import pytest

from culld.enhance.accept import Accepted, Discarded, accept, exposure_defect, refusal_for_clipping
from culld.enhance.gain import Gain
from culld.enhance.structure import matched, structure_kept
from culld.imaging.tone_curve import ToneCurve, apply
from culld.records import Defect, Scores
from harness import factories

TAGS = {Defect.BLUR: 0.5, Defect.UNDER: 0.6, Defect.OVER: 0.6, Defect.FOCUS: 0.7}
DARK = Scores(0.1, 0.9, 0.0)
REAL, NONE = Gain(1.2, is_real=True), Gain(0.1, is_real=False)


def decided(
    after: Scores, *, before: Scores = DARK, structure: float = 0.97, repair: Defect | Gain = Defect.UNDER
) -> str:
    """The reason, with a word for the decision before it."""
    found = accept(before, after, structure, TAGS, repair)
    return f"{'kept' if isinstance(found, Accepted) else 'discarded'}: {found.reason}"


def test_a_copy_without_the_defect_is_kept() -> None:
    """The reason names the defect, before and after."""
    assert decided(Scores(0.1, 0.2, 0.0)) == "kept: the copy is no longer under-exposed (0.90 before, 0.20 after)"


def test_a_copy_that_still_has_the_defect_is_discarded() -> None:
    """The threshold itself is one that tags."""
    assert decided(Scores(0.1, 0.6, 0.0)).startswith("discarded: the copy would still be under-exposed (0.90 before")
    assert decided(Scores(0.1, 0.599, 0.0)).startswith("kept")


@pytest.mark.parametrize("structure", [0.899, -1.0, float("nan")])
def test_a_copy_that_shows_another_picture_is_discarded(structure: float) -> None:
    """Also if it could not be measured."""
    assert decided(Scores(0.1, 0.2, 0.0), structure=structure).startswith("discarded: the repair would change the pict")


def test_the_least_structure_is_enough() -> None:
    """0.9, as the contract has it."""
    assert decided(Scores(0.1, 0.2, 0.0), structure=0.9).startswith("kept")


@pytest.mark.parametrize(
    ("before", "after", "word"),
    [
        (DARK, Scores(0.16, 0.2, 0.0), "blurred"),
        (Scores(0.48, 0.9, 0.0), Scores(0.5, 0.2, 0.0), "blurred"),
        (DARK, Scores(0.1, 0.2, 0.61), "over-exposed"),
        (Scores(0.1, 0.9, 0.0, 0.2), Scores(0.1, 0.2, 0.0, 0.3), "out of focus"),
    ],
)
def test_a_copy_with_another_defect_that_rises_is_discarded(before: Scores, after: Scores, word: str) -> None:
    """Above its threshold, or by more than 0.05."""
    assert decided(after, before=before).startswith(f"discarded: the copy would be more {word} than the photo")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (DARK, Scores(0.14, 0.2, 0.05)),
        (Scores(0.8, 0.9, 0.0), Scores(0.84, 0.2, 0.0)),
        (DARK, Scores(0.1, 0.2, 0.0, 0.99)),
        (Scores(0.1, 0.9, 0.0, 0.99), Scores(0.1, 0.2, 0.0)),
    ],
)
def test_a_defect_that_was_there_or_could_not_be_measured_is_no_objection(before: Scores, after: Scores) -> None:
    """A face may be found in the copy that was too dark in the photo."""
    assert decided(after, before=before).startswith("kept")


def test_a_repair_of_compression_is_judged_by_its_gain() -> None:
    """All three defects of the network are others then."""
    clean = Scores(0.1, 0.1, 0.1)

    assert decided(clean, before=clean, repair=REAL) == (
        "kept: the traces of JPEG compression are reduced (estimated gain 1.2 dB)"
    )
    assert "no visible difference (estimated gain 0.1 dB)" in decided(clean, before=clean, repair=NONE)
    assert "more under-exposed" in decided(Scores(0.1, 0.2, 0.1), before=clean, repair=REAL)


def test_the_first_objection_is_told() -> None:
    """One sentence, not three."""
    assert decided(Scores(0.9, 0.9, 0.9), structure=0.1).count("discarded") == 1


def test_burnt_out_photos_are_refused_before_any_repair() -> None:
    """Only over-exposed ones: 0.3 of the area is allowed."""
    found = refusal_for_clipping(Defect.OVER, 0.31)

    assert isinstance(found, Discarded)
    assert found.reason.startswith("31% of the photo is burnt out")
    assert refusal_for_clipping(Defect.OVER, 0.3) is None
    assert refusal_for_clipping(Defect.UNDER, 0.9) is None


@pytest.mark.parametrize(
    ("scores", "defect"),
    [(Scores(1, 0.59, 0.59), None), (DARK, Defect.UNDER), (Scores(0, 0.6, 0.7), Defect.OVER)],
)
def test_the_more_probable_wrong_exposure_is_repaired(scores: Scores, defect: Defect | None) -> None:
    """From the tag threshold on."""
    assert exposure_defect(scores, TAGS) is defect


def test_a_tone_curve_keeps_the_structure_and_a_blur_does_not() -> None:
    """The tones are matched before."""
    image = factories.picture(3, size=(320, 240))
    pixels = np.asarray(image)

    assert structure_kept(pixels, pixels) == pytest.approx(1)
    assert structure_kept(pixels, apply(pixels, ToneCurve(1.0))) > 0.95
    assert structure_kept(pixels, np.asarray(factories.blurred(image, 6))) < 0.8


def test_a_match_of_tones_gives_the_histogram_of_the_reference() -> None:
    """Also for pictures of one level."""
    levels = np.arange(256, dtype=np.uint8).reshape(16, 16)

    assert np.array_equal(matched(levels // 2, levels)[::1, ::2], matched(levels // 2, levels)[:, 1::2])
    assert np.abs(matched(levels // 2, levels).astype(int) - levels).max() <= 1
    assert np.array_equal(matched(np.full((4, 4), 9, np.uint8), np.full((4, 4), 200, np.uint8)), np.full((4, 4), 200))
