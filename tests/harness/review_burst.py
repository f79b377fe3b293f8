"""The burst of the stand-in of `culld web`: the code of culld compares figures that follow from what was drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from culld.app.burst_view import BurstFrame, BurstView, burst_view
from culld.records import (
    Camera,
    Exposure,
    Face,
    PlanState,
    RecordedDecision,
    ReviewState,
    Scores,
    SeriesKind,
    SeriesMembership,
    Stack,
    Subject,
    Verdict,
)
from harness import factories

if TYPE_CHECKING:
    from harness.review_server import Photo


def view(photos: Sequence[Photo]) -> BurstView | None:
    """Return the view of a burst of drawn photos; None without any."""
    members = tuple(factories.place(photo.name) for photo in photos)
    series = SeriesMembership(SeriesKind.BURST, members)
    frames = [
        BurstFrame(each.id, _decision(each, series, at), ReviewState(each.state)) for at, each in enumerate(photos)
    ]
    return burst_view(frames, series, factories.rules())


def sharpness(photo: Photo) -> float:
    """Return the sharpness that a drawn photo is said to have, 1/px."""
    return 0.31 / (1 + photo.scene.strength) if photo.scene.fault == "blur" else 0.31


def _decision(photo: Photo, series: SeriesMembership, at: int) -> RecordedDecision:
    scores = Scores(*(photo.scores[name] for name in ("blur", "under", "over")))
    fault = photo.scene.fault
    subject = Subject(
        tuple(
            Face(tuple(face["box"]), ((0.45, 0.56), (0.5, 0.56)), 0.9, face["blur"], face["light"])
            for face in photo.faces
        ),
        sharpness=sharpness(photo),
        brightness={"under": -2.4, "over": 1.6}.get(fault, -0.6),
    )
    camera = Camera(
        photo.camera, factories.NOON + timedelta(seconds=at), exposure=Exposure(0.004, 5.6, 400), focal_mm=50
    )
    assessed = replace(factories.assessment(photo.name), result=scores, subject=subject)
    assessed = replace(assessed, photo=replace(assessed.photo, camera=camera))
    place = assessed.photo.place
    return RecordedDecision(
        plan=str(photo.id), made_at=factories.NOON, stack=Stack(assessed), verdict=Verdict.KEEP, reason="", keywords=(),
        policy="", rule="", would_reject=False, state=PlanState.DONE, now=place, now_digest=assessed.photo.digest,
        series=series, series_id="burst",
    )  # fmt: skip
