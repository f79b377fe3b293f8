"""From the samples of a clip to its shares of defects, its longest good range, its verdict and a sentence."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final

from culld.records import Scores
from culld.records.clips import ANY_DEFECT, CLIP_DEFECTS, ClipJudgement, ClipVerdict

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from culld.records.clips import ClipFacts, ClipSample

BLUR, UNDER, OVER = 0.5, 0.6, 0.6
"""The probabilities from which a sample has the defect: the thresholds `tag` in the card of the defect network."""
SHAKE: Final = 0.007
"""The shake from which a sample has it, as a share of the diagonal (15 px of 1080p).

In clips that a camera model made of photographs of the calibration split, a camera that is held with 0.2 % of tremor or
less has 0.0023 at most, one with 1 % or more 0.0084 at least; a real clip from the helmet of a motorcyclist has 0.0053.
"""
KEEP_SHARE: Final = 0.1
"""The largest share of defects in a clip that is kept: its first and its last moment, while the camera is raised."""
SHORTEST_GOOD_S: Final = 2.0
"""The shortest range that is worth a cut."""

_DEFECTS: Final[Mapping[str, Callable[[ClipSample], bool]]] = {
    "blur": lambda sample: not sample.black and sample.blur >= BLUR,
    "under": lambda sample: not sample.black and sample.under is not None and sample.under >= UNDER,
    "over": lambda sample: not sample.black and sample.over is not None and sample.over >= OVER,
    "shake": lambda sample: not sample.black and sample.shake is not None and sample.shake >= SHAKE,
    "black": lambda sample: sample.black,
    "frozen": lambda sample: sample.frozen,
}
_WORDS: Final = {
    "blur": "blurred",
    "under": "under-exposed",
    "over": "over-exposed",
    "shake": "shaken",
    "black": "black",
    "frozen": "frozen",
}


def defects_of(sample: ClipSample) -> tuple[str, ...]:
    """Return the defects of a sample, a part of `CLIP_DEFECTS`; a black one has no other."""
    return tuple(name for name in CLIP_DEFECTS if _DEFECTS[name](sample))


def judge(facts: ClipFacts, samples: Sequence[ClipSample]) -> ClipJudgement:
    """Judge a clip by its samples, which are in order of time; raises ValueError without any."""
    if not samples:
        raise ValueError("a clip without a sample cannot be judged")
    found = [defects_of(sample) for sample in samples]
    shares = {name: share_with(facts, samples, (name,)) for name in CLIP_DEFECTS}
    shares[ANY_DEFECT] = share_with(facts, samples, CLIP_DEFECTS)
    good = _longest_good(facts, samples, found)
    verdict = _verdict(shares[ANY_DEFECT], good)
    return ClipJudgement(facts, tuple(samples), shares, good, verdict, _sentence(facts, shares, good, verdict))


def scores_of(judgement: ClipJudgement) -> Scores:
    """Return the shares of a clip as scores of a photo, 0..1: shake counts as blur, and a black picture as under."""
    facts, samples = judgement.facts, judgement.samples
    return Scores(
        share_with(facts, samples, ("blur", "shake")),
        share_with(facts, samples, ("under", "black")),
        share_with(facts, samples, ("over",)),
    )


def share_with(facts: ClipFacts, samples: Sequence[ClipSample], names: Sequence[str]) -> float:
    """Return the share of the time, 0..1, of samples that have one of these defects.

    A sample stands for the time up to the middle between it and its neighbours.
    """
    edges = _edges(facts, samples)
    spent = sum(
        end - start
        for (start, end), sample in zip(pairwise(edges), samples, strict=True)
        if any(_DEFECTS[name](sample) for name in names)
    )
    whole = edges[-1] - edges[0]
    return min(1.0, spent / whole) if whole > 0 else float(any(_DEFECTS[name](samples[0]) for name in names))


def _edges(facts: ClipFacts, samples: Sequence[ClipSample]) -> list[float]:
    times = [sample.at for sample in samples]
    between = [(before + after) / 2 for before, after in pairwise(times)]
    return [0.0, *between, max(facts.seconds, times[-1])]


def _longest_good(
    facts: ClipFacts, samples: Sequence[ClipSample], found: Sequence[tuple[str, ...]]
) -> tuple[float, float] | None:
    """Return the longest range between good samples, which reaches the ends of the clip only if they are good."""
    longest: tuple[float, float] | None = None
    start: float | None = None
    for index, (sample, defects) in enumerate(zip(samples, found, strict=True)):
        if defects:
            start = None
            continue
        if start is None:
            start = 0.0 if index == 0 else sample.at
        end = max(facts.seconds, sample.at) if index == len(samples) - 1 else sample.at
        if longest is None or end - start > longest[1] - longest[0]:
            longest = (start, end)
    return longest


def _verdict(any_share: float, good: tuple[float, float] | None) -> ClipVerdict:
    if any_share <= KEEP_SHARE:
        return ClipVerdict.KEEP
    is_long = good is not None and good[1] - good[0] >= SHORTEST_GOOD_S
    return ClipVerdict.TRIM if is_long else ClipVerdict.REVIEW


def _sentence(
    facts: ClipFacts, shares: Mapping[str, float], good: tuple[float, float] | None, verdict: ClipVerdict
) -> str:
    parts = [f"{_WORDS[name]} {round(100 * shares[name])} %" for name in CLIP_DEFECTS if shares[name] > 0]
    text = f"{', '.join(parts)} of {facts.seconds:.1f} s" if parts else f"no defect in {facts.seconds:.1f} s"
    if verdict is ClipVerdict.KEEP or good is None:
        return text
    return f"{text}; good from {good[0]:.1f} s to {good[1]:.1f} s"
