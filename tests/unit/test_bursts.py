"""The best frame of a burst by measured sharpness, then exposure; and the frames that culld compares."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image, ImageFilter

from culld.errors import PhotoError
from culld.imaging.image_file import DecodeLimits
from culld.records import (
    Assessment,
    Camera,
    Format,
    Photo,
    RootedPath,
    Scores,
    Series,
    SeriesKind,
    Stack,
    Subject,
    UserMetadata,
    UserMetadataSources,
    Verdict,
)
from culld.stages.decide.bursts import MOST_COMPARED, best_of, lead_text, needs_sharpness, with_subjects
from culld.stages.decide.decide import decide
from culld.stages.decide.decider import Decider
from culld.stages.group.grouping import SeriesHold
from culld.stages.read.full_resolution import compare_frames
from culld.stages.read.messages import SharpnessRequest
from harness import factories, fakes
from harness.factories import NOON, assessment, rules, stamp


def frame(name: str, sharpness: float | None, *, blur: float = 0.99, over: float = 0.0) -> Assessment:
    """A frame with a measured sharpness."""
    return replace(assessment(name, blur=blur, over=over), subject=Subject(sharpness=sharpness))


def burst(*frames: Assessment) -> Series:
    """A burst of these frames."""
    return Series(SeriesKind.BURST, frames)


def test_the_sharpest_frame_stays_whatever_its_blur_score() -> None:
    """The reason has the numbers of the two sharpest frames."""
    frames = frame("a.jpg", 0.31, blur=0.98), frame("b.jpg", 0.42, blur=0.99), frame("c.jpg", 0.30, blur=0.98)
    series = burst(*frames)

    best = best_of(series, rules())
    decision = decide(Stack(frames[1], series=series), rules(), now=NOON, restored=False)

    assert best is frames[1]
    assert decision.verdict is Verdict.TAG
    assert "the sharpest (sharpness 0.42, a.jpg 0.31)" in decision.reason
    assert decide(Stack(frames[0], series=series), rules(), now=NOON, restored=False).verdict is Verdict.QUARANTINE


def test_of_equally_sharp_frames_the_better_exposed_one_stays() -> None:
    """Such a tie is named."""
    dark, light = frame("a.jpg", 0.4, over=0.3), frame("b.jpg", 0.4, over=0.1)
    series = burst(dark, light)

    assert best_of(series, rules()) is light
    assert "as sharp as a.jpg and better exposed" in lead_text(series, light)


def test_without_the_sharpness_of_every_frame_the_scores_decide() -> None:
    """The sharpness of one frame alone compares with nothing."""
    frames = frame("a.jpg", 0.9, blur=0.99), frame("b.jpg", None, blur=0.98)

    assert best_of(burst(*frames), rules()) is frames[1]
    assert lead_text(burst(*frames), frames[1]) == ""


def test_a_frame_that_the_policy_keeps_is_better_than_a_sharper_reject() -> None:
    """The user drew that line."""
    kept, rejected = frame("a.jpg", 0.3, blur=0.2), frame("b.jpg", 0.4, blur=0.99)

    assert best_of(burst(kept, rejected), rules()) is kept


def test_the_frames_of_a_burst_are_measured_only_if_one_of_them_would_be_rejected() -> None:
    """Measuring costs a decoding in full resolution; the measured subject stays with the photo."""
    asked: list[SharpnessRequest] = []

    def compare(requests: list[SharpnessRequest]) -> list[tuple[Subject, ...]]:
        asked.extend(requests)
        return [tuple(Subject(sharpness=float(n)) for n, _ in enumerate(each.frames)) for each in requests]

    decider = Decider(
        lambda _: rules(),
        lambda _: False,
        lambda requests: [],
        fakes.FakeClock(),
        SeriesHold(),
        compare=compare,
    )
    good, bad = ([assessment(name, blur=blur) for name in ("a.jpg", "b.jpg")] for blur in (0.1, 0.99))
    known = [replace(each, user_metadata=UserMetadataSources(UserMetadata())) for each in bad]

    decider.decide([Stack(each, series=burst(*good)) for each in good])
    assert asked == []
    first, second = decider.decide([Stack(each, series=burst(*known)) for each in known])

    assert [len(each.frames) for each in asked] == [2]
    assert not isinstance(first, PhotoError)
    assert not isinstance(second, PhotoError)
    assert (first.verdict, second.verdict) == (Verdict.QUARANTINE, Verdict.TAG)
    assert second.stack.primary.subject == Subject(sharpness=1.0)


def test_a_long_burst_is_judged_by_its_scores() -> None:
    """One request for all of its frames would take longer than a worker may."""
    long = [assessment(f"{n}.jpg", blur=0.99) for n in range(MOST_COMPARED + 1)]

    assert not needs_sharpness(Stack(long[0], series=burst(*long)), rules())
    assert needs_sharpness(Stack(long[0], series=burst(*long[:-1])), rules())


def test_a_burst_with_a_frame_past_no_threshold_is_not_measured_for_a_blurred_one() -> None:
    """The blurred frame cannot be the best; a frame that a rule rejects can."""
    good, bad = assessment("a.jpg", blur=0.1), assessment("b.jpg", blur=0.99)

    assert not needs_sharpness(Stack(bad, series=burst(good, bad)), rules())
    assert needs_sharpness(Stack(good, series=burst(good, bad)), rules())


def test_measured_subjects_replace_those_of_the_stack_and_its_series() -> None:
    """In the order of the series."""
    frames = assessment("a.jpg"), assessment("b.jpg")
    found = with_subjects(Stack(frames[1], series=burst(*frames)), (Subject(sharpness=0.1), Subject(sharpness=0.2)))

    assert found.primary.subject == Subject(sharpness=0.2)
    assert found.series is not None
    assert [each.subject for each in found.series.members] == [Subject(sharpness=0.1), Subject(sharpness=0.2)]


def on_disk(folder: Path, name: str, image: Image.Image) -> Assessment:
    """A frame whose file exists."""
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=92)
    place = RootedPath(folder, Path(name))
    place.path.write_bytes(stream.getvalue())
    return Assessment(Photo(place, stamp(1), name, Format.JPEG, Camera()), Scores(0.9, 0, 0), "model@1")


@pytest.mark.parametrize("radius", [1.0, 2.0, 4.0])
def test_real_frames_are_compared_in_full_resolution(tmp_path: Path, radius: float) -> None:
    """A blur that the network's frame cannot show; the same picture twice is a tie."""
    sharp = factories.picture(3, (1600, 1200))
    frames = [
        on_disk(tmp_path, "a.jpg", sharp.filter(ImageFilter.GaussianBlur(radius))),
        on_disk(tmp_path, "b.jpg", sharp),
        on_disk(tmp_path, "c.jpg", sharp),
    ]

    soft, first, second = (each.sharpness for each in compare_frames(frames, DecodeLimits()))

    assert soft is not None
    assert first is not None
    assert first == second > soft


def test_frames_of_different_sizes_are_not_compared(tmp_path: Path) -> None:
    """No measure of sharpness is fair to both."""
    frames = [
        on_disk(tmp_path, f"{n}.jpg", factories.picture(3, size)) for n, size in enumerate([(640, 480), (960, 720)])
    ]

    with pytest.raises(PhotoError):
        compare_frames(frames, DecodeLimits())
