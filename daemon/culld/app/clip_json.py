"""A judged clip as values of JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from culld.records import Verdict
from culld.records.clips import ANY_DEFECT
from culld.segment.clips.judge import scores_of

if TYPE_CHECKING:
    from culld.app.clip import ClipResult
    from culld.records.clips import ClipFacts, ClipJudgement, ClipSample

_DIGITS = 4


def clip_json(result: ClipResult) -> dict[str, object]:
    """Return the values of `culld score --json` for a clip, without its path; those of a photo have the same names."""
    judgement = result.judgement
    if judgement is None:
        unknown = dict.fromkeys(("blur", "under", "over"))
        return {
            "format": "clip",
            **unknown,
            "verdict": Verdict.UNREADABLE,
            "reason": result.fault,
            "model": result.model,
        }
    return {
        "format": "clip",
        **_scores(judgement),
        **_facts(judgement.facts),
        "shares": {name: round(share, _DIGITS) for name, share in judgement.shares.items()},
        "good": judgement.good and [round(second, 3) for second in judgement.good],
        "samples": [_sample(sample) for sample in judgement.samples],
        "verdict": judgement.verdict,
        "reason": judgement.sentence if judgement.shares[ANY_DEFECT] else "",
        "sentence": judgement.sentence,
        "model": result.model,
    }


def _scores(judgement: ClipJudgement) -> dict[str, float]:
    scores = scores_of(judgement)
    own = {name: judgement.shares[name] for name in ("shake", "black", "frozen")}
    found = {"blur": scores.blur, "under": scores.under, "over": scores.over, **own}
    return {name: round(share, _DIGITS) for name, share in found.items()}


def _facts(facts: ClipFacts) -> dict[str, object]:
    return {
        "seconds": round(facts.seconds, 3),
        "width": facts.width,
        "height": facts.height,
        "rotation": facts.rotation,
        "rate": round(facts.rate, 3),
        "frames": facts.frames,
        "codec": facts.codec,
        "transfer": facts.transfer,
        "sound": facts.has_audio,
    }


def _sample(sample: ClipSample) -> dict[str, object]:
    return {
        "at": round(sample.at, 3),
        "blur": round(sample.blur, _DIGITS),
        "under": None if sample.under is None else round(sample.under, _DIGITS),
        "over": None if sample.over is None else round(sample.over, _DIGITS),
        "shake": None if sample.shake is None else round(sample.shake, 5),
        "black": sample.black,
        "frozen": sample.frozen,
    }
