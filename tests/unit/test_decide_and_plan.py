"""The stages `decide` and `plan` with their real parts around the pure policy."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from culld.errors import PhotoBlockedError, PhotoDeferredError, PhotoError
from culld.records import (
    Assessment,
    Camera,
    FileStat,
    Format,
    Mode,
    Photo,
    Plan,
    Policy,
    Rating,
    RejectFlag,
    RootedPath,
    Scores,
    Sidecars,
    SidecarStyle,
    Stack,
    UserMetadata,
    UserMetadataSources,
    Verdict,
)
from culld.stages.decide.decider import Decider
from culld.stages.group.grouping import SeriesHold
from culld.stages.plan import Planner, TagSettings
from culld.stages.read.messages import DraftRequest, UserMetadataCheck, UserMetadataRequest
from culld.tags.draft import TagDraft, TagRequest, draft
from culld.tags.edits import apply_edits
from harness import factories, fakes, images


def photo_at(place: RootedPath) -> Photo:
    """The photo as it is on disk."""
    digest = hashlib.sha256(place.path.read_bytes()).hexdigest()
    return Photo(place, FileStat.of(place.path.lstat()), digest, Format.JPEG)


@dataclass
class House:
    """A folder with one photo, and the two stages."""

    folder: Path
    asked: list[TagRequest] = field(default_factory=list)
    checks: list[UserMetadataCheck | None] = field(default_factory=list)
    looked_up: list[UserMetadataRequest] = field(default_factory=list)
    restored: bool = False
    away: str = ""
    found: UserMetadata = field(default_factory=UserMetadata)
    policy: Policy = field(default_factory=factories.rules)
    settings: TagSettings = field(default_factory=TagSettings)
    more_to_come: bool = False
    hold: SeriesHold = field(init=False)

    def __post_init__(self) -> None:
        """More files arrive as long as the test sets it."""
        self.hold = SeriesHold(lambda: self.more_to_come)

    def put(self, name: str = "a.jpg") -> Stack:
        """A blurred photo on disk, as a stack."""
        place = RootedPath(self.folder, Path(name))
        place.path.write_bytes(factories.encoded(factories.picture(1, size=(64, 48))))
        return Stack(Assessment(photo_at(place), Scores(0.99, 0.0, 0.0), "model@1"))

    def plans(self, stacks: Sequence[Stack]) -> list[Plan | PhotoError]:
        """Return the plans for stacks, with the default policy if the test sets no other."""
        decider = Decider(
            policy_of=lambda _: self.policy,
            is_restored=lambda _: self.restored,
            user_metadata=self.user_metadata,
            clock=fakes.FakeClock(),
            hold=self.hold,
        )
        planner = Planner(
            draft=self.drafts,
            quarantine=self.folder / "quarantine",
            quarantine_away=lambda: self.away,
            settings=self.settings,
        )
        decisions = decider.decide(stacks)
        plans = iter(planner.plan([each for each in decisions if not isinstance(each, PhotoError)]))
        return [each if isinstance(each, PhotoError) else next(plans) for each in decisions]

    def user_metadata(self, requests: Sequence[UserMetadataRequest]) -> list[UserMetadata]:
        """Return the user metadata of each shot and note the request."""
        self.looked_up += requests
        return [self.found for _ in requests]

    def drafts(self, requests: Sequence[DraftRequest]) -> list[TagDraft]:
        """The real drafts, noted."""
        self.asked += [request.tags for request in requests]
        self.checks += [request.check for request in requests]
        return [
            draft(request.tags, lambda place: place.path.read_bytes() if place.path.exists() else None)
            for request in requests
        ]


def plan_of(house: House, stack: Stack) -> Plan:
    """Return the plan for one stack; raises the error of its failure."""
    (plan,) = house.plans([stack])
    if isinstance(plan, PhotoError):
        raise plan
    return plan


@pytest.fixture
def house(tmp_path: Path) -> House:
    """A house with an empty quarantine."""
    (tmp_path / "quarantine").mkdir()
    return House(tmp_path)


def test_a_reject_is_tagged_and_routed(house: House) -> None:
    """Sidecar and photo are rewritten, then sidecar and photo move, the photo last."""
    plan = plan_of(house, house.put())

    assert plan.verdict is Verdict.QUARANTINE
    assert [rewrite.place.relative.name for rewrite in plan.rewrites] == ["a.jpg.xmp", "a.jpg"]
    assert [move.target.relative.name for move in plan.moves] == ["a.jpg.xmp", "a.jpg"]
    assert plan.notes == ()


def test_a_clean_photo_costs_no_draft(house: House) -> None:
    """Nothing is read again, nothing will be written."""
    stack = house.put()
    clean = Stack(replace(stack.primary, result=Scores(0.0, 0.0, 0.0)))

    plan = plan_of(house, clean)

    assert (plan.verdict, plan.rewrites, plan.moves, house.asked) == (Verdict.KEEP, (), (), [])


def test_a_hard_linked_photo_is_left_alone_but_still_moved(house: House) -> None:
    """Its other name would keep the old bytes; the sidecar has the tags, and the note gives the reason."""
    stack = house.put()
    os.link(house.folder / "a.jpg", house.folder / "other name.bin")
    stack = Stack(
        replace(stack.primary, photo=replace(stack.primary.photo, stamp=FileStat.of((house.folder / "a.jpg").lstat())))
    )

    plan = plan_of(house, stack)

    assert [rewrite.place.relative.name for rewrite in plan.rewrites] == ["a.jpg.xmp"]
    assert [move.target.relative.name for move in plan.moves] == ["a.jpg.xmp", "a.jpg"]
    assert plan.notes[0].startswith("the photo itself was left alone: the file has hard links")


def test_a_restored_photo_is_only_tagged(house: House) -> None:
    """The user's decision is never undone."""
    house.restored = True

    plan = plan_of(house, house.put())

    assert (plan.verdict, plan.moves) == (Verdict.TAG, ())


def test_a_reject_waits_for_a_quarantine_that_is_not_there(house: House) -> None:
    """It is not tagged either: it would count as decided. A photo that is not moved does not wait."""
    house.away = "is not there"

    with pytest.raises(PhotoBlockedError, match="quarantine is not there"):
        plan_of(house, house.put())

    assert house.asked == []
    house.restored = True
    assert plan_of(house, house.put()).verdict is Verdict.TAG


def test_a_photo_that_has_no_defect_any_more_loses_its_keywords(house: House) -> None:
    """Its sidecar holds culld's earlier keywords; a sidecar of another program needs no change."""
    stack = house.put()
    first = plan_of(house, stack)
    for rewrite in first.rewrites:
        old = rewrite.place.path.read_bytes() if rewrite.before else b""
        rewrite.place.path.write_bytes(apply_edits(old, rewrite.edits))
    place = stack.primary.photo.place
    fine = replace(stack.primary, photo=photo_at(place), result=Scores(0.01, 0.0, 0.0))

    plan = plan_of(house, Stack(fine, (place.beside("a.jpg.xmp"),)))

    assert plan.verdict is Verdict.KEEP
    assert {rewrite.place for rewrite in plan.rewrites} == {place, place.beside("a.jpg.xmp")}
    place.beside("a.jpg.xmp").path.write_text("<x/>")
    assert plan_of(house, Stack(fine, (place.beside("a.jpg.xmp"),))).rewrites == ()


def test_a_huge_photo_is_tagged_beside_it_only(house: House) -> None:
    """A rewrite would need its size several times in memory."""
    stack = house.put()
    photo = replace(stack.primary.photo, stamp=replace(stack.primary.photo.stamp, size=201 << 20))

    plan = plan_of(house, Stack(replace(stack.primary, photo=photo)))

    assert [rewrite.place.relative.name for rewrite in plan.rewrites] == ["a.jpg.xmp"]
    assert "larger than 200 MiB" in plan.notes[0]


@pytest.mark.parametrize(
    ("mode", "blur", "expected"),
    [
        (Mode.ENFORCE, 0.99, (RejectFlag.RATING,)),
        (Mode.OBSERVE, 0.99, (RejectFlag.RATING,)),
        (Mode.ENFORCE, 0.6, ()),
        (Mode.OBSERVE, 0.6, ()),
    ],
)
def test_only_a_photo_that_is_or_would_be_moved_gets_reject_flags(
    house: House, mode: Mode, blur: float, expected: tuple[RejectFlag, ...]
) -> None:
    """And only the configured flags."""
    stack = house.put()
    stack = replace(stack, primary=replace(stack.primary, result=Scores(blur, 0.0, 0.0)))
    house.policy = replace(factories.rules(), mode=mode)
    house.settings = TagSettings(reject_flags=(RejectFlag.RATING,))

    plan_of(house, stack)

    assert [request.reject_flags for request in house.asked] == [expected]


def test_user_metadata_protects_a_photo_and_its_filled_fields(house: House) -> None:
    """A rated photo is only tagged; a filled field gets no reject flag."""
    house.found = UserMetadata(filled_flags=frozenset({RejectFlag.RATING}), stars=(Rating("xmp:Rating 3", 3),))
    plan = plan_of(house, house.put())
    assert plan.verdict is Verdict.TAG
    assert "it is rated (xmp:Rating 3; policy.protect.rated)" in plan.reason

    house.found = UserMetadata(filled_flags=frozenset({RejectFlag.RATING}))
    house.settings = TagSettings(reject_flags=(RejectFlag.RATING, RejectFlag.PICK))
    plan = plan_of(house, house.put())
    assert plan.verdict is Verdict.QUARANTINE
    assert house.asked[-1].reject_flags == (RejectFlag.PICK,)


def test_a_reject_waits_once_for_the_shots_of_its_series(house: House) -> None:
    """While more photos are coming in; a photo without a time is in no series."""
    stack = house.put()
    timed = replace(stack.primary, photo=replace(stack.primary.photo, camera=Camera(taken_at=factories.NOON)))
    house.more_to_come = True

    with pytest.raises(PhotoDeferredError, match="more photos are arriving"):
        plan_of(house, replace(stack, primary=timed))
    assert plan_of(house, replace(stack, primary=timed)).verdict is Verdict.QUARANTINE
    assert plan_of(house, stack).verdict is Verdict.QUARANTINE
    house.more_to_come = False
    assert plan_of(house, replace(stack, primary=timed)).verdict is Verdict.QUARANTINE


def test_a_new_sidecar_is_called_as_asked_for(house: House) -> None:
    """For example in Adobe's style."""
    house.settings = TagSettings(style=SidecarStyle.ADOBE)
    plan = plan_of(house, house.put())

    assert plan.rewrites[0].place.relative.name == "a.xmp"


@pytest.mark.parametrize(
    ("sidecars", "expected"),
    [
        (Sidecars.ALWAYS, ["a.jpg.xmp", "a.jpg"]),
        (Sidecars.NEEDED, ["a.jpg"]),
        (Sidecars.NEVER, ["a.jpg"]),
    ],
)
def test_a_sidecar_is_made_for_those_that_the_configuration_says(
    house: House, sidecars: Sidecars, expected: list[str]
) -> None:
    """That there is none is then no failure."""
    house.settings = TagSettings(sidecars=sidecars)
    plan = plan_of(house, house.put())

    assert [rewrite.place.relative.name for rewrite in plan.rewrites] == expected
    assert plan.notes == ()


def test_a_hard_linked_photo_needs_a_sidecar(house: House) -> None:
    """It cannot be written itself."""
    stack = house.put()
    os.link(house.folder / "a.jpg", house.folder / "other name.bin")

    house.settings = TagSettings(sidecars=Sidecars.NEEDED)
    plan = plan_of(house, stack)

    assert [rewrite.place.relative.name for rewrite in plan.rewrites] == ["a.jpg.xmp"]


def test_a_sidecar_of_another_program_is_left_alone_with_never(house: House) -> None:
    """And added to in the other cases."""
    stack = house.put()
    (house.folder / "a.jpg.xmp").write_bytes(images.SIDECARS["darktable"])
    plans = []
    for each in Sidecars:
        house.settings = TagSettings(sidecars=each)
        plans.append(plan_of(house, stack))

    assert [[rewrite.place.relative.name for rewrite in plan.rewrites] for plan in plans] == [
        ["a.jpg.xmp", "a.jpg"],
        ["a.jpg.xmp", "a.jpg"],
        ["a.jpg"],
    ]


def test_a_photo_too_large_to_copy_from_gets_no_new_sidecar(house: House) -> None:
    """It would hide what the photo holds."""
    stack = house.put()
    photo = replace(stack.primary.photo, stamp=replace(stack.primary.photo.stamp, size=513 << 20))

    plan = plan_of(house, Stack(replace(stack.primary, photo=photo)))

    assert plan.rewrites == ()
    assert plan.notes[0].startswith("no sidecar was written: the photo is larger than 512 MiB")


def test_adobes_sidecar_of_a_shot_is_the_raws(house: House) -> None:
    """A second one is never made beside it; the picture has its own."""
    raw, picture = house.put("a.cr2").primary, house.put("a.jpg").primary
    raw = replace(raw, photo=replace(raw.photo, format=Format.RAW))
    (house.folder / "a.xmp").write_bytes(images.SIDECARS["Lightroom"])
    stacks = Stack(raw, siblings=(picture,)), Stack(picture, siblings=(raw,))

    plans = [plan_of(house, stack) for stack in stacks]

    assert [plan.rewrites[0].place.relative.name for plan in plans] == ["a.xmp", "a.jpg.xmp"]


def test_a_sidecar_name_that_a_folder_has_is_not_used(tmp_path: Path) -> None:
    """The photo itself is tagged, and moved."""
    house = House(tmp_path)
    (tmp_path / "quarantine").mkdir()
    stack = house.put()
    (tmp_path / "a.jpg.xmp").mkdir()

    plan = plan_of(house, stack)

    assert plan.verdict is Verdict.QUARANTINE
    assert "no sidecar was written: a.jpg.xmp exists and is not a plain file" in plan.notes
    assert [rewrite.place.relative.name for rewrite in plan.rewrites] == ["a.jpg"]


def test_two_photos_of_one_batch_get_two_names_in_the_quarantine(tmp_path: Path) -> None:
    """Two watched folders hold files of the same relative path."""
    stacks = []
    (tmp_path / "quarantine").mkdir()
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        stacks.append(House(tmp_path / name).put())

    plans = House(tmp_path).plans(stacks)

    targets = [{move.target for move in plan.moves} for plan in plans if isinstance(plan, Plan)]
    assert len(targets) == 2
    assert targets[0].isdisjoint(targets[1])


RATED = UserMetadata(stars=(Rating("xmp:Rating 3", 3),))


def test_what_was_read_with_a_photo_is_not_read_again(house: House) -> None:
    """Neither for a photo that is moved nor for one that stays; it still protects."""
    stack = house.put()
    read = replace(stack.primary, user_metadata=UserMetadataSources(UserMetadata()))
    rated = replace(stack.primary, user_metadata=UserMetadataSources(RATED))
    fine = replace(stack.primary, result=Scores(0.0, 0.0, 0.0))

    verdicts = [plan_of(house, Stack(each)).verdict for each in (read, rated, fine)]

    assert verdicts == [Verdict.QUARANTINE, Verdict.TAG, Verdict.KEEP]
    assert house.looked_up == []


def test_a_rating_in_a_sidecar_that_was_read_with_the_photo_protects_it(house: House) -> None:
    """If that sidecar is the photo's; another one is read before the decision."""
    stack = house.put()
    place = stack.primary.photo.place
    sidecars = tuple(place.beside(name) for name in ("a.jpg.xmp", "a.xmp", "a_01.jpg.xmp"))
    for sidecar in sidecars:
        sidecar.path.write_bytes(images.SIDECARS["darktable"])
    sources = UserMetadataSources(UserMetadata(), ((sidecars[0], UserMetadata()), (sidecars[1], RATED)))
    primary = replace(stack.primary, user_metadata=sources)

    assert plan_of(house, Stack(primary, sidecars[:1])).verdict is Verdict.QUARANTINE
    assert plan_of(house, Stack(primary, sidecars[:2])).verdict is Verdict.TAG
    assert house.looked_up == []
    assert plan_of(house, Stack(primary, sidecars)).verdict is Verdict.QUARANTINE
    assert [request.sidecars for request in house.looked_up] == [sidecars]


def test_a_shot_member_with_known_scores_is_read_before_a_shot_is_moved(house: House) -> None:
    """The other one was read with its scores; a shot that stays needs neither."""
    one, other = house.put("a.cr2").primary, house.put("a.jpg").primary
    one = replace(one, user_metadata=UserMetadataSources(UserMetadata()))

    assert plan_of(house, Stack(one, siblings=(other,))).verdict is Verdict.QUARANTINE
    assert [request.pictures for request in house.looked_up] == [(one.photo, other.photo)]
    house.found = RATED
    assert plan_of(house, Stack(one, siblings=(other,))).verdict is Verdict.TAG
    house.looked_up.clear()
    fine = replace(other, result=Scores(0.0, 0.0, 0.0))
    plan_of(house, Stack(replace(one, result=Scores(0.0, 0.0, 0.0)), siblings=(fine,)))
    assert house.looked_up == []


def test_what_a_photo_goes_for_is_checked_when_it_is_planned(house: House) -> None:
    """A photo that stays needs no check."""
    stack = house.put()
    (house.folder / "a.xmp").write_bytes(images.SIDECARS["darktable"])
    tagged = replace(stack.primary, result=Scores(0.6, 0.0, 0.0))

    plan_of(house, stack)
    plan_of(house, Stack(tagged))

    check, none = house.checks
    assert none is None
    assert check is not None
    assert (check.request.pictures, check.expected) == ((stack.primary.photo,), UserMetadata())
    assert check.names == {"a.jpg", "a.xmp"}
