"""Named rules, night, and what protects a photo: the policy beyond its thresholds."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from culld.records import (
    Action,
    Assessment,
    Camera,
    Exposure,
    Format,
    Mode,
    Plan,
    Policy,
    Protection,
    Rating,
    Rule,
    Series,
    SeriesKind,
    Stack,
    StackVerdict,
    Threshold,
    UserMetadata,
    Verdict,
)
from culld.rules import parse
from culld.stages.decide.decide import decide
from culld.stages.plan import bare_plan
from harness import factories

BAD, GOOD = factories.assessment(blur=0.99), factories.assessment("b.jpg", blur=0.1)
DAYLIGHT = Exposure(1 / 250, 8.0, 100)
MOONLIGHT = Exposure(4.0, 2.8, 1600)


def rules(*named: tuple[str, str], **changes: object) -> Policy:
    """The default policy with rules, each called by its number."""
    found = tuple(Rule(str(n), parse(when), Action(action)) for n, (when, action) in enumerate(named))
    return replace(factories.rules(), named_rules=found, **changes)


def plan(stack: Stack | Assessment, policy: Policy, brake: str = "") -> Plan:
    """The plan for a stack."""
    stack = stack if isinstance(stack, Stack) else Stack(stack)
    decision = decide(stack, policy, now=factories.NOON, restored=False)
    return bare_plan(decision.held_back(brake) if brake else decision, "defect:")


def at(exposure: Exposure, *, under: float = 0.99) -> Assessment:
    """A dark photo at these settings."""
    dark = factories.assessment(under=under)
    return replace(dark, photo=replace(dark.photo, camera=Camera(exposure=exposure)))


class TestNamed:
    """Named rules."""

    def test_the_first_one_that_holds_decides(self) -> None:
        """And is named, with its condition, in place of the thresholds."""
        policy = rules(("blur > 0.999", "quarantine"), ("blur > 0.9", "keep"), ("blur > 0.9", "quarantine"))
        found = plan(BAD, policy)

        assert (found.verdict, found.keywords, found.rule) == (Verdict.KEEP, (), "policy.rules.1")
        assert found.reason == 'rule "1" (blur > 0.9) keeps it'

    def test_without_one_the_thresholds_decide(self) -> None:
        """A rule on a fact that the photo lacks does not hold."""
        found = plan(BAD, rules(("iso > 100", "keep")))

        assert (found.verdict, found.rule) == (Verdict.QUARANTINE, "policy.defects.blur.reject")

    def test_tag_only_tags(self) -> None:
        """With the keywords of what was found, if anything was."""
        assert plan(BAD, rules(("blur > 0", "tag"))).verdict is Verdict.TAG
        assert 'rule "0" (blur > 0) only tags' in plan(BAD, rules(("blur > 0", "tag"))).reason
        assert plan(GOOD, rules(("blur > 0", "tag"))).verdict is Verdict.KEEP

    def test_quarantine_moves_what_no_threshold_would(self) -> None:
        """For example by file facts."""
        found = plan(GOOD, rules(('extension == "jpg" and pictures == 1', "quarantine")))

        assert (found.verdict, found.would_reject) == (Verdict.QUARANTINE, True)
        assert found.reason == 'rule "0" (extension == "jpg" and pictures == 1)'

    def test_a_rule_about_one_photo_applies_to_the_whole_shot(self) -> None:
        """The RAW stays with the JPEG that a rule rejects; a rule that keeps one keeps both."""
        raw = replace(GOOD, photo=replace(factories.photo("a.cr2"), format=Format.RAW))
        pair = Stack(BAD, siblings=(raw,))

        assert plan(pair, rules(('extension == "jpg"', "quarantine"))).verdict is Verdict.TAG
        worst = rules(("raw and blur < 0.5", "keep"), stack_verdict=StackVerdict.WORST)
        assert plan(pair, worst).reason == 'a.cr2, the same shot: rule "0" (raw and blur < 0.5) keeps it'

    def test_age_and_hour_are_those_of_the_shot(self) -> None:
        """The hour by the camera's clock, the age by the decision's."""
        taken = replace(
            BAD, photo=replace(BAD.photo, camera=Camera(taken_at=factories.NOON - timedelta(days=2, hours=11)))
        )

        assert plan(taken, rules(("hour == 1 and 2.4 < age_days < 2.5", "keep"))).verdict is Verdict.KEEP
        assert plan(BAD, rules(("hour >= 0", "keep"))).verdict is Verdict.QUARANTINE
        assert plan(BAD, rules(("age_days > 365", "keep"))).verdict is Verdict.KEEP

    @pytest.mark.parametrize(("fact", "value"), [("light_value", 14.0), ("exposure_time", 1 / 250), ("aperture", 8)])
    def test_camera_settings_are_facts(self, fact: str, value: float) -> None:
        """In the units that photographers use."""
        near = f"{value} - 0.1 < {fact} < {value} + 0.1"

        assert plan(at(DAYLIGHT), rules((near, "quarantine"))).verdict is Verdict.QUARANTINE


class TestNight:
    """Dark photos of dark scenes."""

    DARK = Threshold(0.6, 0.97)

    def test_dark_at_settings_for_the_dark_is_night(self) -> None:
        """It has no defect, and the reason names the settings."""
        found = plan(at(MOONLIGHT), rules(under=self.DARK))

        assert (found.verdict, found.keywords) == (Verdict.KEEP, ())
        assert "dark at settings for night, light value -3.0: policy.protect.night_below 3" in found.reason

    @pytest.mark.parametrize("exposure", [DAYLIGHT, Exposure(), Exposure(4.0, 2.8)])
    def test_dark_at_settings_for_daylight_is_under_exposed(self, exposure: Exposure) -> None:
        """And so is a photo without settings."""
        assert plan(at(exposure), rules(under=self.DARK)).keywords == ("defect:underexposed",)
        assert plan(at(exposure), rules(under=self.DARK)).verdict is Verdict.QUARANTINE

    def test_night_excuses_nothing_else(self) -> None:
        """And nothing at all if `policy.protect.night_below` is never."""
        blurred = replace(at(MOONLIGHT), result=BAD.result)

        assert plan(blurred, rules()).verdict is Verdict.QUARANTINE
        never = rules(under=self.DARK, protect=Protection(night_below=None))
        assert plan(at(MOONLIGHT), never).verdict is Verdict.QUARANTINE


@pytest.mark.parametrize(
    ("stack", "why"),
    [
        (
            Stack(BAD, user_metadata=UserMetadata(ratings=("xmp:Label Red",))),
            "it is rated (xmp:Label Red; policy.protect.rated)",
        ),
        (
            Stack(BAD, user_metadata=UserMetadata(stars=(Rating("KDE rating 1", 1),))),
            "it is rated (KDE rating 1; policy.protect.rated)",
        ),
        (
            Stack(BAD, user_metadata=UserMetadata(edited_by=("darktable",))),
            "it was edited in another program (darktable; policy.protect.edited)",
        ),
        (
            Stack(BAD, series=Series(SeriesKind.BRACKET, (BAD, GOOD, GOOD))),
            "it is one of 3 shots of a bracket (policy.protect.series)",
        ),
        (
            Stack(BAD, series=Series(SeriesKind.BURST, (BAD, factories.assessment("b.jpg", blur=1)))),
            "it is the best of a burst of 2 (policy.protect.bursts)",
        ),
    ],
)
def test_a_protected_photo_is_only_tagged_unless_the_policy_allows_its_move(stack: Stack, why: str) -> None:
    """The reason names the key to change."""
    spared = plan(stack, rules(("blur > 0.5", "quarantine")))
    bold = Protection(rated=None, edited=False, night_below=None, series=False, bursts=False, smaller_than=None)

    assert (spared.verdict, spared.would_reject) == (Verdict.TAG, False)
    assert why in spared.reason
    assert plan(stack, rules(protect=bold)).verdict is Verdict.QUARANTINE


@pytest.mark.parametrize(("fewest", "verdict"), [(3, Verdict.TAG), (4, Verdict.QUARANTINE), (None, Verdict.QUARANTINE)])
def test_a_rating_protects_from_as_many_stars_as_the_policy_says(fewest: int | None, verdict: Verdict) -> None:
    """`policy.protect.rated: 4` moves a photo of three and a half stars; one with a label stays at any number."""
    rated = Stack(BAD, user_metadata=UserMetadata(stars=(Rating("KDE rating 3.5", 3.5),)))
    labelled = Stack(BAD, user_metadata=UserMetadata(ratings=("xmp:Label Red",)))
    policy = rules(protect=Protection(rated=fewest))

    assert plan(rated, policy).verdict is verdict
    assert plan(labelled, policy).verdict is (Verdict.QUARANTINE if fewest is None else Verdict.TAG)


def test_files_in_subfolders_that_belong_to_a_photo_keep_it_where_it_is() -> None:
    """Whatever the policy protects: culld does not move them along."""
    stack = Stack(
        BAD,
        user_metadata=UserMetadata(
            edited_by=("Nikon",), ratings_outside=(".comments/a.jpg.xml", "NKSC_PARAM/a.jpg.nksc")
        ),
    )
    bold = Protection(rated=None, edited=False, night_below=None, series=False, bursts=False, smaller_than=None)

    spared = plan(stack, rules(protect=bold))

    assert (spared.verdict, spared.would_reject) == (Verdict.TAG, False)
    assert ".comments/a.jpg.xml and NKSC_PARAM/a.jpg.nksc belong to it" in spared.reason


def test_all_but_the_best_of_a_burst_may_go() -> None:
    """The best is that of the whole burst, also of frames that were judged before."""
    better = factories.assessment("b.jpg", blur=0.98)
    burst = Series(SeriesKind.BURST, (BAD, better))

    assert plan(Stack(BAD, series=burst), rules()).verdict is Verdict.QUARANTINE
    assert plan(Stack(better, series=burst), rules()).verdict is Verdict.TAG


def test_xmp_that_cannot_be_read_protects_as_well() -> None:
    """It may hold a rating; with both protections off that does not matter."""
    stack = Stack(BAD, user_metadata=UserMetadata(unclear="it is not well-formed XML"))

    assert (
        "its metadata cannot be read (it is not well-formed XML), so it may be rated or edited"
        in plan(stack, rules()).reason
    )
    deaf = Protection(rated=None, edited=False)
    assert plan(stack, rules(protect=deaf)).verdict is Verdict.QUARANTINE


@pytest.mark.parametrize(("mode", "brake"), [(Mode.OBSERVE, ""), (Mode.ENFORCE, "the brake is on")])
def test_what_is_only_held_is_unwanted_all_the_same(mode: Mode, brake: str) -> None:
    """It would be moved but for the mode or the brake; the summary counts it."""
    found = plan(BAD, rules(mode=mode), brake)

    assert (found.verdict, found.would_reject) == (Verdict.TAG, True)
    assert found.reason.endswith(brake or "but mode is observe")


def test_a_photo_of_which_a_part_is_missing_is_only_tagged() -> None:
    """Whatever the policy: a program may still be writing it."""
    stack = Stack(BAD, user_metadata=UserMetadata(incomplete="its movie"))
    bold = Protection(rated=False, edited=False, night_below=None, series=False, bursts=False, smaller_than=None)
    spared = plan(stack, rules(("blur > 0.5", "quarantine"), protect=bold))

    assert (spared.verdict, spared.would_reject) == (Verdict.TAG, False)
    assert "a part of the file is missing (its movie)" in spared.reason
