"""What was judged of a clip, as values of JSON in the facts of its decision."""

from __future__ import annotations

import math
from typing import Any, Final

from culld.records.clips import ANY_DEFECT, CLIP_DEFECTS, ClipFacts, ClipJudgement, ClipVerdict, Transfer

_SHARES: Final = (*CLIP_DEFECTS, ANY_DEFECT)
_LONGEST_TEXT: Final = 500


def clip_out(clip: ClipJudgement | None) -> dict[str, Any] | None:
    """Return a judgement without its samples; None for a photo."""
    if clip is None:
        return None
    facts = clip.facts
    return {
        "size": [facts.width, facts.height],
        "seconds": round(facts.seconds, 3),
        "frames": facts.frames,
        "rate": round(facts.rate, 3),
        "rotation": facts.rotation,
        "codec": facts.codec,
        "transfer": facts.transfer.value,
        "audio": facts.has_audio,
        "shares": {name: round(share, 4) for name, share in clip.shares.items()},
        "good": None if clip.good is None else [round(each, 3) for each in clip.good],
        "verdict": clip.verdict.value,
        "sentence": clip.sentence,
    }


def clip_in(known: object) -> ClipJudgement | None:
    """Return the judgement without its samples; None if there is none, or a value of it cannot be read."""
    if not isinstance(known, dict):
        return None
    try:
        return ClipJudgement(
            _facts_in(known),
            (),
            {name: _number(known["shares"][name]) for name in _SHARES if name in known["shares"]},
            _good_in(known.get("good")),
            ClipVerdict(known["verdict"]),
            str(known["sentence"])[:_LONGEST_TEXT],
        )
    except (KeyError, TypeError, ValueError):
        return None


def _facts_in(known: dict[str, Any]) -> ClipFacts:
    width, height = known["size"]
    frames = known.get("frames")
    return ClipFacts(
        int(width),
        int(height),
        _number(known["seconds"]),
        None if frames is None else int(frames),
        _number(known["rate"]),
        int(known["rotation"]),
        str(known["codec"]),
        Transfer(known["transfer"]),
        known["audio"] is True,
    )


def _good_in(known: object) -> tuple[float, float] | None:
    match known:
        case [start, end]:
            return _number(start), _number(end)
    return None


def _number(value: object) -> float:
    """Return a finite number; raises TypeError or ValueError for everything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{value!r} is not a number")
    if not math.isfinite(value):
        raise ValueError(f"{value!r} is not finite")
    return float(value)
