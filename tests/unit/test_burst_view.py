"""A burst as a view: its best frame, and what is worse in each other one, in words with their numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from culld.app.burst_faces import matched
from culld.app.burst_remarks import remarks_on
from culld.app.burst_view import BurstFrame, BurstView, burst_view
from culld.app.decision_json import burst_json
from culld.app.remark import Side
from culld.records import (
    BY_PERSON,
    Assessment,
    Camera,
    Exposure,
    Face,
    PlanState,
    Policy,
    Protection,
    RecordedDecision,
    ReviewState,
    Scores,
    Series,
    SeriesKind,
    SeriesMembership,
    Stack,
    Subject,
    Verdict,
)
from culld.stages.decide.decide import decide
from harness import factories
from harness.factories import NOON, assessment, rules, unreadable

EYES = ((0.45, 0.45), (0.55, 0.45))


def face(x: float = 0.4, blur: float | None = 0.1, light: float | None = 0.0, height: float = 0.2) -> Face:
    """A face in the middle of the photo's height."""
    return Face((x, 0.4, 0.2, height), EYES, 0.9, blur, light)


def shot(
    name: str,
    *faces: Face,
    blur: float = 0.0,
    under: float = 0.0,
    over: float = 0.0,
    sharpness: float | None = None,
    brightness: float | None = None,
) -> Assessment:
    """A frame with these figures."""
    found = assessment(name, blur=blur, under=under, over=over)
    return replace(found, subject=Subject(faces, sharpness=sharpness, brightness=brightness))


def at(frame: Assessment, *, time_s: float, focal_mm: float | None) -> Assessment:
    """The frame with an exposure time and a focal length."""
    camera = Camera("X100", NOON, exposure=Exposure(time_s), focal_mm=focal_mm)
    return replace(frame, photo=replace(frame.photo, camera=camera))


def frame(number: int, shown: Assessment, series: SeriesMembership | None, **more: object) -> BurstFrame:
    """A frame with its decision; `more` are fields of the decision, and `state`."""
    state = more.pop("state", ReviewState.KEPT)
    plan = factories.plan(Stack(shown))
    decision = replace(RecordedDecision.of(plan, "s"), series=series, **more)
    assert isinstance(state, ReviewState)
    return BurstFrame(number, decision, state)


def burst(*shots: Assessment, kind: SeriesKind = SeriesKind.BURST) -> list[BurstFrame]:
    """The frames of a series."""
    series = SeriesMembership(kind, tuple(each.photo.place for each in shots))
    return [frame(number, each, series) for number, each in enumerate(shots, start=1)]


def view_of(frames: Sequence[BurstFrame], policy: Policy | None = None) -> BurstView:
    """The view of these frames, asked for at the first one."""
    found = burst_view(frames, frames[0].decision.series, policy or rules())
    assert found is not None
    return found


def texts(view: BurstView) -> dict[str, str]:
    """The words on each frame by its name."""
    return {note.frame.name: note.text for note in view.rows}


def test_softer_and_darker_frames_are_compared_with_the_best_one_in_numbers() -> None:
    """The short form has the same numbers."""
    view = view_of(
        burst(
            shot("a.jpg", sharpness=0.12, brightness=-1.4),
            shot("b.jpg", sharpness=0.25, brightness=-1.0),
            shot("c.jpg", sharpness=0.25, brightness=-1.1, over=0.02),
        )
    )

    assert view.sentence == "b.jpg is the best of 3 frames by sharpness and exposure."
    assert texts(view) == {
        "a.jpg": "much softer: 0.12 against 0.25 1/px; 0.4 EV darker",
        "b.jpg": "the best frame, by a little",
        "c.jpg": "as sharp (0.25 1/px)",
    }
    assert view.rows[1].short == "best, by a little"
    assert view.rows[0].short == "much softer 0.12 / 0.25 · 0.4 EV darker"
    assert view.notes == ("c.jpg is not worse by much: look at both.",)


def test_the_best_frame_is_the_one_that_its_decision_names() -> None:
    """Its reason comes from the decision itself, so a change of its words is noticed here."""
    shots = shot("a.jpg", blur=0.98, sharpness=0.31), shot("b.jpg", blur=0.99, sharpness=0.42)
    series = Series(SeriesKind.BURST, shots)
    reason = decide(Stack(shots[1], series=series), rules(), now=NOON, restored=False).reason
    forgotten = [replace(each, subject=Subject()) for each in shots]  # by its scores a.jpg would be the best
    known = SeriesMembership.of(series)

    view = view_of([frame(1, forgotten[0], known), frame(2, forgotten[1], known, reason=reason)])

    assert view.best is not None
    assert (view.best.name, view.is_named) == ("b.jpg", True)
    assert view.sentence == "b.jpg is the best of 2 frames: its decision names it (policy.protect.bursts)."


def test_a_frame_that_arrived_later_may_be_better_than_the_named_one() -> None:
    """Both are told, and the frame is named as late."""
    early = SeriesMembership(SeriesKind.BURST, tuple(factories.place(name) for name in ("a.jpg", "b.jpg")))
    late = SeriesMembership(SeriesKind.BURST, (*early.members, factories.place("c.jpg")))
    named = "blur 0.98 would be rejected, but it is the best of a burst of 2 (policy.protect.bursts)"
    view = view_of(
        [
            frame(1, shot("a.jpg", blur=0.98), early, reason=named),
            frame(2, shot("b.jpg", blur=0.99), early),
            frame(3, shot("c.jpg", blur=0.1), late),
        ]
    )

    assert view.best is not None
    assert (view.best.name, view.is_named) == ("c.jpg", False)
    assert view.notes[0] == "c.jpg arrived after this decision."
    assert view.notes[1] == "a.jpg was named the best before other frames of the burst arrived."
    assert texts(view)["a.jpg"] == "blur is past its reject threshold: 0.98 against 0.10 (policy.defects.blur.reject)"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"released": "deleted"}, "it is deleted"),
        (
            {"rule": BY_PERSON, "verdict": Verdict.QUARANTINE, "state": ReviewState.REJECTED},
            "it was rejected by a person",
        ),
    ],
)
def test_a_best_frame_that_was_taken_out_is_the_best_no_more(change: dict[str, object], why: str) -> None:
    """The next one is."""
    frames = burst(shot("a.jpg", blur=0.1), shot("b.jpg", blur=0.3))
    named = {"reason": "it is the best of a burst of 2 (policy.protect.bursts)"} | change
    state = named.pop("state", ReviewState.LEFT)
    assert isinstance(state, ReviewState)
    decision = replace(frames[0].decision, **named)
    if decision.rule == BY_PERSON:
        decision = replace(decision, state=PlanState.DONE)
    view = view_of([replace(frames[0], decision=decision, state=state), frames[1]])

    assert view.best == frames[1]
    assert view.notes[0] == f"a.jpg was named the best before; {why}."


def test_a_file_that_is_gone_is_no_frame_to_keep() -> None:
    """With every frame gone there is none."""
    frames = burst(shot("a.jpg", blur=0.0), shot("b.jpg", blur=0.3), shot("c.jpg", blur=0.4))
    gone = [replace(each, is_gone=True) for each in frames]

    assert view_of([gone[0], *frames[1:]]).best == frames[1]
    assert view_of([gone[0], *frames[1:]]).sentence.startswith("b.jpg is the best of 2 frames that are left by their")
    assert view_of([*gone[:2], frames[2]]).sentence == "c.jpg is the only frame of its burst that is left."
    assert gone[0].state_text == "gone"
    nothing = view_of(gone)
    assert (nothing.best, nothing.sentence) == (None, "No frame of this burst is left.")


@pytest.mark.parametrize("kind", [SeriesKind.BRACKET, SeriesKind.FOCUS_STACK, SeriesKind.PANORAMA])
def test_shots_of_other_series_belong_together(kind: SeriesKind) -> None:
    """Nothing is chosen from them, and nothing compared."""
    view = view_of(burst(shot("a.jpg", under=0.9), shot("b.jpg"), shot("c.jpg", over=0.9), kind=kind))

    assert view.best is None
    assert view.sentence == (
        f"This is a {kind} of 3 shots: they belong together, and none of them is the best."
        " All of them stay (policy.protect.series)."
    )
    assert set(texts(view).values()) == {""}


def test_a_policy_that_protects_no_series_is_named() -> None:
    """Neither bursts nor brackets."""
    policy = replace(rules(), protect=Protection(series=False, bursts=False))
    bracket = view_of(burst(shot("a.jpg"), shot("b.jpg"), kind=SeriesKind.BRACKET), policy)

    assert "policy.protect.series is off: each of them is judged by itself." in bracket.sentence
    assert "policy.protect.bursts is off" in view_of(burst(shot("a.jpg"), shot("b.jpg")), policy).sentence


def test_the_last_decision_knows_the_kind() -> None:
    """A bracket that arrives shot by shot looks like a burst at first; without any kind there is no view."""
    place = factories.place("a.jpg")
    kinds = [SeriesMembership(kind, (place,)) for kind in (SeriesKind.BURST, SeriesKind.BRACKET)]
    frames = [frame(2, shot("b.jpg"), kinds[1]), frame(1, shot("a.jpg"), kinds[0])]

    assert view_of(frames).kind is SeriesKind.BRACKET
    assert burst_view([frame(1, shot("a.jpg"), None)], None, rules()) is None
    assert burst_view([], None, rules()) is None


def test_a_photo_that_was_alone_at_its_decision_is_compared_with_those_that_came() -> None:
    """The series is known to the later decisions."""
    frames = burst(shot("a.jpg"), shot("b.jpg"))

    found = burst_view(frames, None, rules())

    assert found is not None
    assert "The other frames arrived after this decision." in found.notes


def test_missing_figures_are_named_once() -> None:
    """Sharpness that was not measured, and eyes, which are never measured; those only where a face was found."""
    part = view_of(burst(shot("a.jpg", face(), sharpness=0.2), shot("b.jpg", face()), shot("c.jpg", face())))
    none = view_of(burst(shot("a.jpg"), shot("b.jpg")))

    measures = "`culld compare A B` measures which of two frames is sharper."
    assert part.notes[1:] == (
        f"Sharpness of 2 of 3 frames was not measured; {measures}",
        "Whether eyes are closed is not measured.",
    )
    assert none.notes == ("b.jpg is not worse by much: look at both.", f"Sharpness was not measured; {measures}")
    assert part.notes[0] == "b.jpg and c.jpg are not worse by much: look at them."
    assert none.sentence == "a.jpg is the best of 2 frames by their scores alone."
    assert texts(none)["b.jpg"] == "no recorded figure differs by much"


def test_frames_of_which_the_journal_knows_nothing_are_named() -> None:
    """Frames beyond the number that is read are counted."""
    frames = burst(*(shot(f"{name}.jpg") for name in "abcdef"))

    found = burst_view(frames[:1], frames[0].decision.series, rules(), more=7)

    assert found is not None
    assert found.notes == (
        "The journal has no decision about b.jpg, c.jpg, d.jpg and 2 more.",
        "The burst is longer: 7 decisions about frames farther away in time are left out.",
    )
    assert found.sentence == "a.jpg is the only frame of its burst that is known."


def test_photos_of_one_shot_are_one_frame() -> None:
    """The RAW of the best frame is the best frame as well."""
    series = SeriesMembership(SeriesKind.BURST, (factories.place("a.jpg"), factories.place("b.jpg")))
    raw = frame(3, shot("a.dng", blur=0.2), series, siblings=(factories.place("a.jpg"),))
    jpeg = frame(1, shot("a.jpg"), series, siblings=(factories.place("a.dng"),))
    view = view_of([raw, jpeg, frame(2, shot("b.jpg", blur=0.9), series)])

    assert "of 2 frames" in view.sentence
    assert [note.is_best for note in view.rows] == [True, True, False]
    assert not any("arrived" in note for note in view.notes)


def worded(one: Assessment, best: Assessment, side: Side = Side.WORSE) -> list[str]:
    """The texts on one side."""
    return [remark.text for remark in remarks_on(one, best, rules()) if remark.side is side]


def test_eyes_are_softer_or_sharper() -> None:
    """By the probability that the face is out of focus; one without is said to be not measurable."""
    best, softer, unknown = (
        shot("a.jpg", face(blur=0.08)),
        shot("b.jpg", face(0.45, 0.62)),
        shot("c.jpg", face(blur=None)),
    )

    assert worded(softer, best) == ["main face and eyes softer: out of focus with probability 0.62 against 0.08"]
    assert worded(best, softer, Side.BETTER) == [
        "main face and eyes sharper: out of focus with probability 0.08 against 0.62"
    ]
    assert worded(unknown, best, Side.NEUTRAL) == [
        "the focus of the main face cannot be measured (small, turned away, dark or moved)"
    ]


def test_a_frame_may_be_better_in_one_thing() -> None:
    """What is better comes after what is worse."""
    view = view_of(burst(shot("a.jpg", face(blur=0.6), sharpness=0.4), shot("b.jpg", face(blur=0.1), sharpness=0.3)))

    assert texts(view)["b.jpg"] == (
        "softer: 0.3 against 0.4 1/px; but main face and eyes sharper: out of focus with probability 0.10 against 0.60"
    )


def test_faces_are_matched_by_their_place() -> None:
    """The order of the faces does not matter, one far away or of another size is another one."""
    left, right = face(0.1), face(0.7)

    assert matched([left, right], [face(0.72), face(0.12)]) == [face(0.12), face(0.72)]
    assert matched([left], [right]) == [None]
    assert matched([left], [face(0.1, height=0.5)]) == [None]
    assert matched([left], [face(0.1, height=0.0)]) == [None]
    assert matched([left, left], [left]) == [left, None]


def test_missing_and_other_faces_are_told() -> None:
    """A photo in which no face was looked for is not said to have none."""
    two = shot("a.jpg", face(0.1, 0.0), face(0.7, 0.1))

    assert worded(shot("b.jpg"), two) == ["no face is found; it is in the best frame"]
    assert worded(shot("b.jpg", face(0.7)), two) == ["the main face is not found at its place; it is in the best frame"]
    assert worded(shot("b.jpg", face(0.1, 0.0), face(0.7, 0.5)), two) == ["1 other face softer"]
    assert worded(two, shot("b.jpg"), Side.BETTER) == ["a face is found; none in the best frame"]
    assert worded(assessment("b.jpg"), two) == []


def test_faces_that_come_and_go_from_frame_to_frame_are_passed_over() -> None:
    """Those that the face network is not sure of, and those too small to be judged."""
    unsure, small = shot("a.jpg", replace(face(), confidence=0.56)), shot("a.jpg", face(blur=None))

    for shown in (unsure, small):
        assert remarks_on(shot("b.jpg"), shown, rules()) == ()
        assert remarks_on(shown, shot("b.jpg"), rules()) == ()
    assert remarks_on(shot("b.jpg", face(blur=0.22)), shot("a.jpg", face(blur=0.01)), rules()) == ()


def test_light_on_the_face_is_worse_only_if_the_face_is_not_well_lit() -> None:
    """Pale and dark skin differ by more than a stop."""
    best, dim, dark = (shot("a.jpg", face(light=light)) for light in (0.2, -0.9, -3.1))

    assert worded(dim, best, Side.NEUTRAL) == ["1.1 EV less light on the main face (-0.9 against +0.2 EV)"]
    assert worded(dark, best) == ["3.3 EV less light on the main face (-3.1 against +0.2 EV)"]
    assert worded(best, dark, Side.BETTER) == ["3.3 EV more light on the main face (+0.2 against -3.1 EV)"]


def test_exposure_is_told_from_a_probability_on_that_means_something() -> None:
    """A darker frame is worse if it is more likely under-exposed, better if the best one is over-exposed."""
    best = shot("a.jpg", over=0.4, brightness=1.0)

    assert worded(shot("b.jpg", under=0.62, over=0.4, brightness=-2.0), best) == [
        "more likely under-exposed: 0.62 against 0.00",
        "3.0 EV darker",
    ]
    assert worded(shot("b.jpg", brightness=0.2), best, Side.BETTER) == [
        "less likely over-exposed: 0.00 against 0.40",
        "0.8 EV darker",
    ]
    assert worded(shot("b.jpg", over=0.9, brightness=1.5), best)[1] == "0.5 EV lighter"
    assert remarks_on(shot("b.jpg", under=0.2), shot("a.jpg"), rules()) == ()


def test_a_long_exposure_may_be_the_reason_of_softness_and_of_nothing_else() -> None:
    """Longer than one over the focal length, the rule of photographers; unknown settings say nothing."""
    best, soft, sharp = (shot(f"{n}.jpg", sharpness=value) for n, value in enumerate((0.25, 0.12, 0.25)))
    long = {"time_s": 1 / 8, "focal_mm": 80.0}

    assert worded(at(soft, **long), best)[1:] == ["1/8 s at 80 mm is longer than 1/80 s, so movement may be the reason"]
    assert worded(at(soft, time_s=2, focal_mm=80), best)[1].startswith("2 s at 80 mm")
    assert worded(at(sharp, **long), best) == []
    for time_s, focal_mm in ((1 / 125, 80.0), (1 / 8, None)):
        assert len(worded(at(soft, time_s=time_s, focal_mm=focal_mm), best)) == 1


@pytest.mark.parametrize(
    ("value", "best", "text"),
    [
        (0.245, 0.25, "a little softer: 0.245 against 0.25 1/px"),
        (0.22, 0.25, "softer: 0.22 against 0.25 1/px"),
        (0.26, 0.25, "a little sharper: 0.26 against 0.25 1/px"),
        (0.1001, 0.1002, "a little softer: 0.1001 against 0.1002 1/px"),
        (0.076, 0.078, "softer: 0.076 against 0.078 1/px"),
        (0.0, 0.078, "much softer: 0 against 0.078 1/px"),
    ],
)
def test_sharpness_is_in_words_as_far_as_the_measure_tells(value: float, best: float, text: str) -> None:
    """Of edges wider than 10 px the scale tells little more, so they are never a little softer."""
    (remark,) = remarks_on(shot("b.jpg", sharpness=value), shot("a.jpg", sharpness=best), rules())

    assert remark.text == text


def test_blur_stands_in_for_sharpness_that_was_not_measured() -> None:
    """With a sharpness the short line leaves the probability out."""
    best = shot("a.jpg", sharpness=0.3)
    measured = remarks_on(shot("b.jpg", blur=0.99, sharpness=0.1), best, rules())

    assert worded(shot("b.jpg", blur=0.6), best) == ["more likely blurred: 0.60 against 0.00"]
    assert worded(shot("b.jpg"), shot("a.jpg", blur=0.6), Side.BETTER) == ["less likely blurred: 0.00 against 0.60"]
    assert [remark.short for remark in measured] == ["", "much softer 0.1 / 0.3"]


def test_frames_without_probabilities_are_told_or_passed_over() -> None:
    """A frame that could not be read is never the best one."""
    broken = replace(assessment("b.jpg"), result=Scores(float("nan"), 0.0, 0.0))

    assert worded(unreadable("b.jpg"), shot("a.jpg")) == ["it could not be read: damaged"]
    assert remarks_on(broken, shot("a.jpg"), rules()) == ()
    view = view_of(burst(unreadable("a.jpg"), shot("b.jpg", blur=0.99)))
    assert view.best is not None
    assert view.best.name == "b.jpg"


def test_states_are_told_in_words() -> None:
    """A reject of a person is one of the person."""
    (one,) = burst(shot("a.jpg"))
    by_person = replace(one.decision, rule=BY_PERSON, verdict=Verdict.QUARANTINE, state=PlanState.DONE)

    assert replace(one, state=ReviewState.REJECTED).state_text == "in quarantine"
    assert replace(one, state=ReviewState.RESTORED).state_text == "brought back by a person"
    assert replace(one, state=ReviewState.KEPT).state_text == "kept"
    assert replace(one, decision=by_person).state_text == "rejected by a person"


def test_json_has_the_words_and_the_figures() -> None:
    """None without a series; names are safe to print."""
    shots = shot("a\n.jpg", sharpness=0.12), shot("b.jpg", sharpness=0.25)
    found = burst_json(view_of(burst(*shots)))

    assert burst_json(None) is None
    assert found is not None
    assert found["best"] == {"id": 2, "name": "b.jpg"}
    assert found["frames"][0] == {
        "id": 1,
        "name": "a\\n.jpg",
        "state": "kept",
        "is_gone": False,
        "is_best": False,
        "text": "much softer: 0.12 against 0.25 1/px",
        "short": "much softer 0.12 / 0.25",
        "worse": [
            {
                "aspect": "sharpness",
                "text": "much softer: 0.12 against 0.25 1/px",
                "short": "much softer 0.12 / 0.25",
                "value": 0.12,
                "best": 0.25,
            }
        ],
        "better": [],
        "neutral": [],
    }
