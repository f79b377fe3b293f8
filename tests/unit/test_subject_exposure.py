"""The correction of over- and under-exposure by the light on the subject."""

from __future__ import annotations

import json
import time
from pathlib import Path

import numpy as np
import pytest

from culld.errors import SystemFaultError
from culld.inference.card import load_card
from culld.records import Scores
from culld.subject.exposure import Correction, load_correction, log_odds, strengths
from culld.subject.ground import grounds, planes_of
from culld.subject.light import BLACK_GROUND, MEASURES, WHITE_GROUND, measure, stops
from culld.training.dataset import Scene
from culld.training.exposure.composites import composites
from culld.training.exposure.fit import Rows, fit
from culld.training.exposure.grounds import GroundKind, draw
from culld.training.exposure.mattes import blob, matte_of
from culld.training.exposure.pictures import pictures

PARAMS = Path(__file__).parents[2] / "models" / "exposure" / "params.json"
SHAPE = (384, 512)
INSIDE = np.s_[96:288, 128:384]


@pytest.fixture(scope="module")
def correction() -> Correction:
    """The correction that ships."""
    return load_correction(PARAMS)


def subject(level: float, ground: int) -> np.ndarray:
    """A textured rectangle of about this level (0..1) before an even ground of this level (0..255)."""
    rng = np.random.default_rng(1)
    frame = np.full((*SHAPE, 3), ground, np.uint8)
    coarse = np.kron(rng.uniform(0.3, 1.7, (24, 32)), np.ones((8, 8)))[..., None] * np.array([1.0, 0.9, 0.7])
    frame[INSIDE] = np.clip(coarse * level * 255 + rng.normal(0, 4, (192, 256, 3)), 0, 255)
    return frame


def clutter() -> np.ndarray:
    """A frame of mid-tones without any even tile."""
    return np.random.default_rng(2).integers(40, 200, (*SHAPE, 3)).astype(np.uint8)


def test_the_correction_is_for_the_network_that_ships(correction: Correction) -> None:
    """Another network has other probabilities."""
    assert correction.network == load_card(PARAMS.parents[1] / "defects").digest


def test_a_well_exposed_subject_on_paper_is_not_over_exposed(correction: Correction) -> None:
    """The network calls it over-exposed at 0.95; the tag is at 0.6."""
    corrected = correction.correct(subject(0.4, 255), Scores(0.1, 0.0, 0.95))
    assert corrected.over < 0.6
    assert corrected.blur == 0.1


def test_a_burnt_subject_on_paper_stays_over_exposed(correction: Correction) -> None:
    """The paper is no excuse for a subject that is burnt itself."""
    assert correction.correct(subject(1.4, 255), Scores(0.1, 0.0, 0.95)).over > 0.6


def test_a_well_exposed_subject_on_black_is_not_under_exposed(correction: Correction) -> None:
    """The same before black."""
    assert correction.correct(subject(0.5, 4), Scores(0.1, 0.8, 0.0)).under < 0.6


def test_a_dark_subject_on_black_stays_under_exposed(correction: Correction) -> None:
    """Black cloth is no excuse for a dark subject."""
    assert correction.correct(subject(0.08, 4), Scores(0.1, 0.95, 0.0)).under > 0.6


def test_a_frame_without_a_ground_keeps_its_scores_exactly(correction: Correction) -> None:
    """Most photos have no even white or black ground."""
    scores = Scores(0.123, 0.456, 0.789)
    assert correction.correct(clutter(), scores) == scores


@pytest.mark.parametrize("level", [0, 128, 255])
@pytest.mark.parametrize("probability", [0.0, 1.0])
def test_probabilities_stay_probabilities_on_even_frames(
    correction: Correction, level: int, probability: float
) -> None:
    """A frame of one level has no subject, and a box of it is no subject either."""
    corrected = correction.correct(
        np.full((*SHAPE, 3), level, np.uint8), Scores(0.0, probability, probability), [(0.2, 0.2, 0.3, 0.3)]
    )
    assert 0 <= corrected.under <= 1
    assert 0 <= corrected.over <= 1


def test_a_black_ground_never_raises_under(correction: Correction) -> None:
    """It can only excuse darkness."""
    measures = np.stack([measure(subject(level, 2)) for level in (0.05, 0.2, 0.5, 0.9)])
    network = np.full((4, 2), 0.7)
    assert (correction.probabilities(measures, network)[:, 0] <= 0.7 + 1e-9).all()


def test_the_correction_alone_never_reaches_the_usual_reject(correction: Correction) -> None:
    """A probability past 0.95 needs the defect network's own."""
    measures = np.stack([measure(subject(level, ground)) for level in (0.02, 0.4, 1.6) for ground in (0, 255)])
    for probability in (0.0, 0.5, 0.94):
        assert correction.probabilities(measures, np.full((6, 2), probability)).max() <= 0.95


def test_the_ground_is_joined_to_the_border() -> None:
    """The rectangle covers a quarter of the frame."""
    white, black = grounds(planes_of(subject(0.4, 255)))
    assert white.tiles.mean() == pytest.approx(0.75)
    assert white.strict.mean() == pytest.approx(0.75)
    assert not black.tiles.any()
    assert not white.inner.any()


def test_a_white_patch_inside_the_subject_is_no_ground() -> None:
    """A burnt patch must not count as paper."""
    frame = clutter()
    frame[160:224, 160:224] = 255
    white, _ = grounds(planes_of(frame))
    assert not white.tiles.any()
    assert white.inner.sum() == 64


def test_the_measures_name_the_grounds() -> None:
    """The places of the ground shares are what the correction reads."""
    on_white, on_black = measure(subject(0.4, 255)), measure(subject(0.4, 0))
    assert on_white.shape == (MEASURES,)
    assert np.isfinite([on_white, on_black]).all()
    assert (on_white[WHITE_GROUND], on_white[BLACK_GROUND]) == pytest.approx((0.75, 0))
    assert (on_black[WHITE_GROUND], on_black[BLACK_GROUND]) == pytest.approx((0, 0.75), abs=0.01)


def test_faces_weigh_half_of_the_subject() -> None:
    """Whatever their number is."""
    frame = subject(0.4, 255)
    frame[150:200, 200:260] = 250
    face = (200 / 512, 150 / 384, 60 / 512, 50 / 384)
    assert not np.array_equal(measure(frame), measure(frame, [face]))
    assert np.array_equal(measure(frame, [face]), measure(frame, [face, face]))


@pytest.mark.parametrize("box", [(0.0, 0.0, 0.0, 0.0), (0.99, 0.99, 0.5, 0.5), (-0.1, -0.1, 0.05, 0.05)])
def test_a_face_at_the_border_or_outside_of_it_is_measured(box: tuple[float, float, float, float]) -> None:
    """Detectors return such boxes."""
    assert np.isfinite(measure(clutter(), [box])).all()
    assert np.isfinite(stops(clutter(), box))


def test_stops_are_counted_from_the_grey_card() -> None:
    """A level of 118 is 18 % of the light (IEC 61966-2-1)."""
    grey = np.full((*SHAPE, 3), 118, np.uint8)  # 18 % of the light
    assert stops(grey, (0.25, 0.25, 0.5, 0.5)) == pytest.approx(0, abs=0.05)
    assert stops(np.full_like(grey, 255), (0, 0, 1, 1)) == pytest.approx(2.47, abs=0.01)
    assert stops(np.zeros_like(grey), (0, 0, 1, 1)) < -6


def test_broken_parameters_are_refused(tmp_path: Path) -> None:
    """With the name of the file."""
    stored = json.loads(PARAMS.read_text(encoding="utf-8"))
    for broken in ("", "[]", "{}", json.dumps({**stored, "centre": [1.0]}), json.dumps({**stored, "members": []})):
        file = tmp_path / "params.json"
        file.write_text(broken, encoding="utf-8")
        with pytest.raises(SystemFaultError, match=r"params\.json"):
            load_correction(file)
    with pytest.raises(SystemFaultError, match="no such"):
        load_correction(tmp_path / "no such.json")


def test_a_fit_learns_the_subject_and_the_daemon_computes_what_was_fitted(tmp_path: Path) -> None:
    """A well-exposed subject on paper is good, a burnt one is not, though the network calls both over-exposed."""
    levels = np.linspace(0.25, 1.6, 40)
    measures = np.stack([measure(subject(level, 255)) for level in levels])
    network = np.tile([0.01, 0.8], (len(levels), 1))
    burnt = np.stack([np.zeros(len(levels)), levels > 0.9], axis=1)
    inputs = np.concatenate([measures, log_odds(network)], axis=1)
    rows = Rows(inputs, strengths(measures), burnt.astype(float), np.ones_like(burnt))
    repeated = Rows(*(np.tile(getattr(rows, name), (50, 1)) for name in ("inputs", "strength", "labels", "weights")))
    file = tmp_path / "params.json"
    file.write_text(json.dumps({**fit(repeated), "network": ""}), encoding="utf-8")
    judged = load_correction(file).probabilities(measures, network)[:, 1] > 0.5
    assert (judged == (levels > 0.9)).mean() > 0.9


def test_a_subject_on_an_even_ground_is_cut_out() -> None:
    """And clutter is not."""
    matte = matte_of(subject(0.4, 200))
    assert matte is not None
    assert matte[INSIDE].mean() > 0.9
    assert matte[:60].max() == 0
    assert matte_of(clutter()) is None


def test_a_shape_covers_part_of_the_frame() -> None:
    """Neither nothing nor all of it."""
    for seed in range(5):
        shape = blob(SHAPE, np.random.default_rng(seed))
        assert shape.shape == SHAPE
        assert 0.05 < shape.mean() < 0.65


@pytest.mark.parametrize("kind", list(GroundKind))
def test_grounds_are_bright_or_dark(kind: GroundKind) -> None:
    """By their kind."""
    drawn = draw(kind, SHAPE, np.random.default_rng(3))
    assert drawn.dtype == np.float32
    assert drawn.shape == (*SHAPE, 3)
    white = kind in {GroundKind.PAPER, GroundKind.STUDIO, GroundKind.SKY, GroundKind.SNOW}
    assert (drawn.mean() > 0.75) if white else (drawn.mean() < 0.25)


def test_labels_follow_the_subject() -> None:
    """And not the ground."""
    frame = subject(0.4, 128)
    made = list(composites(frame, matte_of(frame), np.random.default_rng(4)))
    well = [each for each in made if each.group.startswith("well")]
    assert {each.group for each in well} == {"well on white", "well on black"}
    assert all((each.under, each.over) == (False, False) for each in well)
    assert all(each.over is not True for each in made if each.group.startswith("under"))
    assert all(each.under is not True for each in made if each.group.startswith("over"))
    assert any(each.under for each in made)


def test_the_pictures_of_a_scene_are_the_same_for_the_same_seed() -> None:
    """A fit can be repeated."""
    scene = Scene("drawn.jpg", frozenset(), "drawn", "CC0")
    first, second = (
        list(pictures(scene, subject(0.4, 128), lambda pixels, _: pixels, np.random.default_rng(5))) for _ in range(2)
    )
    assert [each.group for each in first] == [each.group for each in second]
    assert all(np.array_equal(a.frame, b.frame) for a, b in zip(first, second, strict=True))
    assert {"clean", "mild", "over, hard light", "cut well on white"} <= {each.group for each in first}


def test_a_night_scene_gets_no_composites() -> None:
    """Its subject is not known to be well exposed."""
    scene = Scene("night.jpg", frozenset({"night_lowkey"}), "drawn", "CC0")
    made = pictures(scene, subject(0.4, 128), lambda pixels, _: pixels, np.random.default_rng(5))
    assert not [each.group for each in made if " on " in each.group]


def test_measuring_is_cheap() -> None:
    """2.3 ms of one core on a quiet machine; the bar is wide, since tests run on busy ones."""
    frame = subject(0.4, 255)
    start = time.process_time()
    for _ in range(5):
        measure(frame)
    assert (time.process_time() - start) / 5 < 0.08
