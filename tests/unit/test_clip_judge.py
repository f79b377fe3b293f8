"""From samples to shares, the longest good range, the verdict and the sentence."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from culld.records.clips import CLIP_DEFECTS, ClipFacts, ClipSample, ClipVerdict, Transfer
from culld.segment.clips.judge import SHAKE, defects_of, judge, scores_of

GOOD = {"blur": 0.0, "under": 0.0, "over": 0.0, "shake": 0.0, "black": False, "frozen": False}
BAD = {
    "b": {"blur": 0.9},
    "u": {"under": 0.9},
    "o": {"over": 0.9},
    "s": {"shake": 2 * SHAKE},
    "k": {"black": True, "under": 1.0, "blur": 1.0},
    "f": {"frozen": True},
    "m": {"blur": 0.9, "shake": 2 * SHAKE},
    "?": {"under": None, "over": None, "shake": None},
    ".": {},
}


def facts(seconds: float) -> ClipFacts:
    """A clip of this length."""
    return ClipFacts(1280, 720, seconds, None, 30.0, 0, "h264", Transfer.SDR, has_audio=False)


def samples(letters: str, step: float = 0.5) -> tuple[ClipSample, ...]:
    """A sample for each letter, see `BAD`."""
    return tuple(ClipSample(number * step, **{**GOOD, **BAD[letter]}) for number, letter in enumerate(letters))


def test_a_sample_stands_for_the_time_up_to_the_middle_of_its_neighbours() -> None:
    """So key frames between the others do not count twice."""
    times = (0, 0.1, 0.2, 2, 4, 6)
    uneven = [replace(sample, at=at) for sample, at in zip(samples("bb...b"), times, strict=True)]

    found = judge(facts(6.0), uneven)

    assert found.shares["blur"] == pytest.approx((0.15 + 1.0) / 6)


def test_the_shares_of_all_samples_are_whole() -> None:
    """For every defect alone."""
    for letter, name in zip("buoskf", CLIP_DEFECTS, strict=True):
        found = judge(facts(4.0), samples(letter * 8))
        assert found.shares[name] == pytest.approx(1.0)
        assert found.shares["any"] == pytest.approx(1.0)
        assert found.verdict is ClipVerdict.REVIEW
        assert found.good is None


def test_a_black_frame_has_no_other_defect() -> None:
    """What the network says about a covered lens means nothing."""
    assert defects_of(samples("k")[0]) == ("black",)


def test_what_is_not_judged_is_no_defect() -> None:
    """Exposure of HDR, and shake without frames around."""
    assert defects_of(samples("?")[0]) == ()


@pytest.mark.parametrize(
    ("letters", "verdict", "good"),
    [
        ("........", ClipVerdict.KEEP, (0.0, 4.0)),
        ("b" + "." * 19, ClipVerdict.KEEP, (0.5, 10.0)),
        ("bbb.....", ClipVerdict.TRIM, (1.5, 4.0)),
        (".....bbb", ClipVerdict.TRIM, (0.0, 2.0)),
        ("bb......sss...", ClipVerdict.TRIM, (1.0, 3.5)),
        ("b.b.b.b.", ClipVerdict.REVIEW, (3.5, 4.0)),
    ],
)
def test_the_longest_good_range_decides_between_trim_and_review(
    letters: str, verdict: ClipVerdict, good: tuple[float, float]
) -> None:
    """It starts and ends at good samples, and reaches the ends of the clip only where these are good."""
    found = judge(facts(len(letters) * 0.5), samples(letters))

    assert (found.verdict, found.good) == (verdict, good)


def test_the_good_range_holds_no_defect_and_none_is_longer() -> None:
    """By brute force, over every pattern of ten samples."""
    for pattern in itertools.product(".b", repeat=10):
        letters = "".join(pattern)
        found = judge(facts(5.0), samples(letters)).good
        runs = [len(run) for run in letters.split("b")]
        if found is None:
            assert max(runs) == 0
            continue
        inside = [letter for number, letter in enumerate(letters) if found[0] <= number * 0.5 <= found[1]]
        assert inside == ["."] * len(inside)
        assert len(inside) >= max(runs) - 1, letters


def test_the_sentence_names_the_defects_and_the_good_range() -> None:
    """In the order of the defects."""
    assert judge(facts(4.0), samples("........")).sentence == "no defect in 4.0 s"
    assert judge(facts(4.0), samples("mm......")).sentence == (
        "blurred 19 %, shaken 19 % of 4.0 s; good from 1.0 s to 4.0 s"
    )


def test_the_scores_of_a_clip_count_shake_as_blur_and_black_as_under() -> None:
    """A moment with both counts once."""
    found = scores_of(judge(facts(4.0), samples("ms..ku..")))

    assert (found.blur, found.under, found.over) == pytest.approx((0.1875, 0.25, 0.0))


def test_a_single_sample_is_judged() -> None:
    """A clip of half a second has no second one."""
    assert judge(facts(0.3), samples("b")).shares["blur"] == 1.0
    assert judge(facts(0.0), samples("b")).shares["any"] == 1.0


def test_a_clip_without_a_sample_is_refused() -> None:
    """The reader refuses it earlier, in words."""
    with pytest.raises(ValueError, match="without a sample"):
        judge(facts(1.0), [])
