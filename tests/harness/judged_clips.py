"""Judged clips as records, so that a test names only what it is about."""

from __future__ import annotations

from culld.records import Assessment, Format, Scores
from culld.records.clips import CLIP_DEFECTS, ClipFacts, ClipJudgement, ClipVerdict, Transfer
from harness import factories


def judgement(**shares: float) -> ClipJudgement:
    """The judgement of a clip of ten seconds, of which its second half is good; shares are 0 unless given."""
    facts = ClipFacts(1920, 1080, 10.0, 250, 25.0, 0, "h264", Transfer.SDR, has_audio=True)
    every = dict.fromkeys((*CLIP_DEFECTS, "any"), 0.0) | shares
    return ClipJudgement(facts, (), every, (5.0, 10.0), ClipVerdict.TRIM, "blurred 50 % of 10.0 s")


def clip(name: str = "a.mov", *, blur: float = 0.0, under: float = 0.0, over: float = 0.0) -> Assessment:
    """A clip with these shares of its time."""
    photo = factories.photo(name, name.encode(), Format.VIDEO)
    found = judgement(blur=blur, under=under, over=over)
    return Assessment(photo, Scores(blur, under, over), "model@1", full_size=(1920, 1080), clip=found)
