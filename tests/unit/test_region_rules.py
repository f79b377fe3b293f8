"""The regions of a photo in rules: what is known, what the rules make of it, and how the journal keeps it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from culld.app.build import PolicySet
from culld.app.decision_json import facts_json
from culld.journal.regions_json import regions_in, regions_out
from culld.journal.row_mapping import decision_row
from culld.journal.stack_json import parsed, to_json
from culld.records import Action, Assessment, Face, FolderPolicies, Policy, Rule, Stack, Subject, Verdict
from culld.records.regions import REGION_CLASSES, RegionClass, Regions
from culld.rules import REGION_VARIABLES, VARIABLES, parse
from culld.segment.facts import facts_of, largest
from culld.segment.masks import Segmentation
from culld.stages.decide.decide import decide
from culld.stages.decide.rule_variables import SHARP_FROM, variables_of
from culld.stages.read import PoolReader, ReadRequest
from harness import factories, fakes
from harness.review_library import decided

BLURRED = factories.assessment(blur=0.99)
SHARES = dict.fromkeys(REGION_CLASSES, 0.0) | {RegionClass.DEFOCUS: 0.6, RegionClass.HIGHLIGHT: 0.05}
BOKEH = Regions(SHARES, blurred=0.62, sharpest=SHARP_FROM + 0.1)
SPOILT = Regions(SHARES, blurred=0.98, sharpest=SHARP_FROM - 0.01)
NAMES = ("share_blur", "share_clipped", "subject_sharp")
KEEP = "subject_sharp and share_blur >= 0.3"


def of(photo: Assessment) -> list[object]:
    """The variables of a photo about its regions."""
    facts = variables_of(Stack(photo), factories.NOON)
    return [facts[name] for name in NAMES]


def with_face(blur: float | None) -> Subject:
    """A subject with one face."""
    return Subject((Face((0.1, 0.2, 0.3, 0.4), ((0.2, 0.3), (0.3, 0.3)), 0.9, blur),))


def policy(condition: str = KEEP) -> Policy:
    """The default policy with a rule that keeps."""
    return replace(factories.rules(), named_rules=(Rule("bokeh", parse(condition), Action.KEEP),))


def test_the_variables_are_those_of_the_regions_and_unknown_without_them() -> None:
    """The rule language knows the same names."""
    assert of(replace(BLURRED, regions=BOKEH)) == [0.62, 0.05, True]
    assert of(replace(BLURRED, regions=SPOILT)) == [0.62 + 0.36, 0.05, False]
    assert of(BLURRED) == [None, None, None]
    assert set(NAMES) == REGION_VARIABLES <= VARIABLES.keys()


def test_a_measured_face_decides_whether_the_subject_is_sharp() -> None:
    """A face that cannot be measured does not, and no face neither."""
    assert of(replace(BLURRED, regions=SPOILT, subject=with_face(0.1)))[2] is True
    assert of(replace(BLURRED, regions=BOKEH, subject=with_face(0.9)))[2] is False
    assert of(replace(BLURRED, regions=BOKEH, subject=with_face(None)))[2] is True
    assert of(replace(BLURRED, regions=BOKEH, subject=Subject()))[2] is True


@pytest.mark.parametrize(
    ("regions", "verdict", "rule"),
    [
        (BOKEH, Verdict.KEEP, "policy.rules.bokeh"),
        (SPOILT, Verdict.QUARANTINE, "policy.defects.blur.reject"),
        (None, Verdict.QUARANTINE, "policy.defects.blur.reject"),
    ],
)
def test_a_sharp_subject_before_a_soft_ground_is_kept_by_a_rule(
    regions: Regions | None, verdict: Verdict, rule: str
) -> None:
    """A photo without regions has no sharp subject that is known: the rule does not hold."""
    found = decide(Stack(replace(BLURRED, regions=regions)), policy(), now=factories.NOON, restored=False)

    assert (found.verdict, found.rule) == (verdict, rule)


@pytest.mark.parametrize("condition", ["not subject_sharp", "share_blur < 2", "not (share_clipped > 0.5)"])
def test_no_condition_on_what_is_unknown_holds(condition: str) -> None:
    """Also not the opposite one."""
    assert not parse(condition).holds(variables_of(Stack(BLURRED), factories.NOON))


def test_photos_are_segmented_only_where_a_rule_of_any_folder_needs_it() -> None:
    """A reload changes it for the next batch."""
    plain, needs = policy("blur > 0.9 and iso > 100"), policy("blur > 0.5 and not (share_clipped > 0.2)")
    assert parse("blur > 0.5 and not (share_clipped > 0.2)").variables == {"blur", "share_clipped"}
    policies = PolicySet(FolderPolicies(plain, {Path("/a"): plain}))
    asked: list[bool] = []

    class Worker:
        """Notes whether it is asked for regions."""

        def read(self, request: ReadRequest) -> Assessment:
            """A photo."""
            asked.append(request.segment)
            return BLURRED

    reader = PoolReader(fakes.FakePool(Worker()), segment=policies.name_regions)  # type: ignore[arg-type]
    reader.read([factories.snapshot()])
    policies.replace(FolderPolicies(plain, {Path("/a"): plain, Path("/b"): needs}))
    reader.read([factories.snapshot()])
    policies.replace(FolderPolicies(needs, {}))
    reader.read([factories.snapshot()])

    assert asked == [False, True, True]


def test_the_journal_keeps_the_regions_and_an_older_one_has_none() -> None:
    """In the facts of the decision, so that the schema stays."""
    known = parsed(to_json(Stack(replace(BLURRED, regions=BOKEH))))

    assert regions_in(known["regions"]) == Regions(SHARES, 0.62, round(BOKEH.sharpest, 4))
    assert "regions" not in parsed(to_json(Stack(BLURRED)))
    assert regions_in(parsed("{}").get("regions")) is None


VALUES = some.recursive(
    some.none() | some.booleans() | some.integers() | some.floats() | some.text(max_size=3),
    lambda inner: (
        some.lists(inner, max_size=4)
        | some.dictionaries(some.sampled_from(["shares", "blurred", "sharpest", *REGION_CLASSES]), inner)
    ),
    max_leaves=20,
)


@given(VALUES)
def test_any_value_in_the_journal_gives_regions_or_none(value: object) -> None:
    """A damaged row must not stop a stage: what is not valid is not known."""
    found = regions_in(value)

    assert found is None or json.loads(json.dumps(regions_out(found), allow_nan=False))


@pytest.mark.parametrize(
    "change",
    [{"blurred": 1.5}, {"blurred": None}, {"sharpest": True}, {"shares": {}}, {"shares": {**SHARES, "noise": "x"}}],
)
def test_values_that_are_no_shares_are_not_read(change: dict[str, object]) -> None:
    """One bad value makes all of them unknown."""
    good = regions_out(BOKEH)
    assert good is not None
    assert regions_in(good) is not None
    assert regions_in(good | change) is None


@pytest.mark.parametrize(("blurred", "sharpest"), [(-0.1, 0.0), (0.0, 1.1), (float("nan"), 0.0)])
def test_a_record_holds_shares_only(blurred: float, sharpest: float) -> None:
    """Past the border no stage can fail on one."""
    with pytest.raises(ValueError, match="between 0 and 1"):
        Regions(SHARES, blurred, sharpest)
    with pytest.raises(ValueError, match="each class"):
        Regions({}, 0.0, 0.0)


def test_why_shows_the_variables_that_are_known() -> None:
    """By the names that rules have for them."""
    place, stack = BLURRED.photo.place, Stack(replace(BLURRED, regions=BOKEH))
    case = decided(place, place, b"a", Verdict.KEEP, 1, stack=stack)
    facts = facts_json(case)

    assert {name: facts[name] for name in NAMES} == {"share_blur": 0.62, "share_clipped": 0.05, "subject_sharp": True}
    assert parsed(decision_row(case)["facts"])["regions"]["blurred"] == 0.62


def test_the_largest_region_is_coherent() -> None:
    """Tiles that touch by a corner only are apart."""
    tiles = np.zeros((10, 10), np.bool_)
    assert largest(tiles) == 0
    for place in ((0, 0), (0, 1), (1, 1), (2, 2), (2, 3), (5, 5)):
        tiles[place] = True
    assert largest(tiles) == 0.03
    assert tiles.sum() == 6
    assert largest(np.ones((2, 7), np.bool_)) == 1
    assert largest(np.zeros((0, 7), np.bool_)) == 0


def no_masks(size: tuple[int, int]) -> dict[RegionClass, NDArray[np.bool_]]:
    """Masks of no class."""
    return {kind: np.zeros(size, np.bool_) for kind in REGION_CLASSES}


def test_a_sharp_region_has_edges_and_no_blur() -> None:
    """The upper half of a frame is called blurred by the masks, and the right quarter has no edge."""
    rng = np.random.default_rng(0)
    pixels = np.full((512, 512, 3), 128, np.uint8)
    pixels[:, :384] = np.kron(rng.integers(0, 2, (64, 48)) * 200, np.ones((8, 8)))[..., None]
    masks = no_masks((512, 512))
    masks[RegionClass.DEFOCUS][:256] = True
    masks[RegionClass.MOTION][:270] = True

    found = facts_of(Segmentation(masks), pixels)

    assert found.blurred == 270 / 512
    assert found.shares[RegionClass.DEFOCUS] == 0.5
    assert found.sharpest == pytest.approx(0.375, abs=0.07)


@pytest.mark.parametrize("noise", [0.0, 5.0])
def test_edges_out_of_focus_are_not_sharp_even_under_noise(noise: float) -> None:
    """Though no mask shows the blur."""
    rng = np.random.default_rng(0)
    sharp = Image.fromarray(np.kron(rng.integers(0, 2, (16, 24)) * 200, np.ones((32, 32))).astype(np.uint8))
    kinds = []
    for picture in (sharp, sharp.filter(ImageFilter.GaussianBlur(3))):
        grey = np.asarray(picture, np.float64)
        seen = np.clip(grey + rng.normal(0, 1, grey.shape) * noise, 0, 255).astype(np.uint8)
        kinds.append(facts_of(Segmentation(no_masks(grey.shape)), np.repeat(seen[..., None], 3, axis=2)).sharpest)

    assert kinds[0] > 0.8
    assert kinds[1] < 0.1


def test_a_frame_smaller_than_a_tile_has_no_sharp_region() -> None:
    """It is too small to tell."""
    assert facts_of(Segmentation(no_masks((20, 90))), np.zeros((20, 90, 3), np.uint8)).sharpest == 0
