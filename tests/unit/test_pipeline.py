"""The pipeline: photos pass the stages in order, and the failure of one photo costs only that photo."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest

from culld.errors import PhotoChangedError, PhotoError, StoppedError, SystemFaultError
from culld.pipeline import Pipeline, Stages
from culld.records import Assessment, Decision, FileSnapshot, Outcome, Plan, Stack, Verdict
from culld.stages.read import read_ahead
from culld.unexpected import UnexpectedErrors
from harness import factories, fakes


def group(assessed: Sequence[Assessment]) -> list[Stack]:
    """Each photo is a stack of its own."""
    return [Stack(assessment) for assessment in assessed]


def group_unless_gone(assessed: Sequence[Assessment]) -> list[Stack]:
    """As `group`, but the folder of gone.jpg cannot be listed."""
    if any(assessment.photo.place.relative.name == "gone.jpg" for assessment in assessed):
        raise PhotoChangedError("the folder is gone")
    return group(assessed)


def decide(stacks: Sequence[Stack]) -> list[Decision | PhotoError]:
    """Keep everything, but fail on a photo called changed.jpg."""
    return [
        PhotoChangedError("it changed")
        if places_of(stack) == "changed.jpg"
        else Decision(stack, Verdict.KEEP, "because", factories.rules(), factories.NOON)
        for stack in stacks
    ]


def plan(decisions: Sequence[Decision]) -> list[Plan | PhotoError]:
    """Change nothing, but fail on a photo called drafted.jpg."""
    return [
        PhotoChangedError("it changed")
        if places_of(each) == "drafted.jpg"
        else factories.plan(each.stack, each.verdict)
        for each in decisions
    ]


def pipeline(journal: fakes.FakeJournal, reader: fakes.FakeReader | None = None, **stages: Any) -> Pipeline:
    """A pipeline that notes in the journal when it applies; `stages` take the place of those here."""

    def apply(plan: Plan) -> Outcome:
        journal.events.append(f"apply {plan.photo.place.relative}")
        return Outcome(plan, plan.photo.place, plan.photo.stamp, plan.photo.digest)

    usual = Stages(reader or fakes.FakeReader(), group, decide, plan, apply, lambda _: None, journal.fault)
    return Pipeline(replace(usual, **stages), journal)


def with_mistake(page: Pipeline, stage: str) -> Pipeline:
    """The pipeline with a mistake in a stage over bad.jpg."""
    return replace(page, stages=replace(page.stages, **{stage: failing(getattr(page.stages, stage))}))


def test_the_intent_is_recorded_before_anything_is_applied() -> None:
    """One intent for the batch, then each photo is applied and closed in turn."""
    journal = fakes.FakeJournal()

    outcomes = pipeline(journal).process([factories.snapshot("a.jpg"), factories.snapshot("b.jpg")])

    assert [outcome.now.relative.name for outcome in outcomes] == ["a.jpg", "b.jpg"]
    assert journal.events == ["intend a.jpg b.jpg", "apply a.jpg", "close a.jpg", "apply b.jpg", "close b.jpg", "end"]


def test_what_was_judged_before_is_not_judged_again() -> None:
    """Seen content drops out before it costs any inference."""
    journal = fakes.FakeJournal(seen={"a.jpg"})

    outcomes = pipeline(journal).process([factories.snapshot("a.jpg"), factories.snapshot("b.jpg")])

    assert [outcome.now.relative.name for outcome in outcomes] == ["b.jpg"]


def test_one_unreadable_file_does_not_stop_the_batch() -> None:
    """Its fault is recorded, the others come through."""
    journal = fakes.FakeJournal()

    outcomes = pipeline(journal, fakes.FakeReader(faults={"a.jpg": "no permission"})).process(
        [factories.snapshot("a.jpg"), factories.snapshot("b.jpg")]
    )

    assert [outcome.now.relative.name for outcome in outcomes] == ["b.jpg"]
    assert journal.events[0] == "fault a.jpg: no permission"


def test_a_photo_that_changes_before_its_plan_is_tried_again() -> None:
    """The plan is dropped and the fault recorded; nothing is applied to that photo."""
    journal = fakes.FakeJournal()

    pipeline(journal).process([factories.snapshot("changed.jpg"), factories.snapshot("b.jpg")])

    assert journal.events == ["fault changed.jpg: it changed", "intend b.jpg", "apply b.jpg", "close b.jpg", "end"]


def test_a_folder_that_is_gone_costs_only_its_own_photos() -> None:
    """The folders of the others can still be listed."""
    journal = fakes.FakeJournal()

    pipeline(journal, group=group_unless_gone).process([factories.snapshot("gone.jpg"), factories.snapshot("b.jpg")])

    assert journal.events[:2] == ["fault gone.jpg: the folder is gone", "intend b.jpg"]


def failing(stage: Callable[..., Any], name: str = "bad.jpg") -> Callable[..., Any]:
    """The stage, with a mistake in it that shows as soon as a photo of this name is among others or alone."""

    def mistaken(items: Any) -> Any:
        places = [places_of(item) for item in ([items] if isinstance(items, Plan | Outcome) else items)]
        if name in places:
            raise OverflowError(f"date value out of range: {name}")
        return stage(items)

    return mistaken


def places_of(item: Any) -> str:
    """The name of the photo that an item of any stage is about."""
    if isinstance(item, Outcome):
        item = item.plan
    if isinstance(item, Stack):
        item = item.primary
    photo = item.photo if isinstance(item, Plan | Decision | Assessment) else item
    return str(photo.place.relative)


THREE = [factories.snapshot(name) for name in ("a.jpg", "bad.jpg", "c.jpg")]
REASON = "internal error: OverflowError: date value out of range: bad.jpg; please report this"


@pytest.mark.parametrize("stage", ["group", "decide", "plan"])
def test_an_unexpected_error_of_a_stage_costs_one_photo(stage: str) -> None:
    """The others stay together, the traceback is logged once, and the photo is not tried again after three times."""
    journal = fakes.FakeJournal()
    page = with_mistake(pipeline(journal), stage)

    with fakes.Warnings() as warnings:
        outcomes = page.process(THREE)
        page.process(THREE)

    assert [outcome.now.relative.name for outcome in outcomes] == ["a.jpg", "c.jpg"]
    assert journal.events[:2] == [f"fault bad.jpg: {REASON}", "intend a.jpg c.jpg"]
    assert {fault.tries for fault in journal.faults} == {3}
    assert len(warnings.texts) == 1
    assert "Traceback" in warnings.texts[0]


def test_photos_that_cannot_be_grouped_with_each_other_cost_one_of_them() -> None:
    """Each could be grouped alone; the later one is tried again."""
    journal = fakes.FakeJournal()

    def together(assessed: Sequence[Assessment]) -> list[Stack]:
        if {places_of(each) for each in assessed} >= {"a.jpg", "c.jpg"}:
            raise ZeroDivisionError
        return group(assessed)

    outcomes = pipeline(journal, group=together).process(THREE)

    assert [outcome.now.relative.name for outcome in outcomes] == ["a.jpg", "bad.jpg"]
    assert [fault.snapshot.place.relative.name for fault in journal.faults] == ["c.jpg"]


@pytest.mark.parametrize("lazily", [True, False])
def test_an_unexpected_error_of_the_reader_costs_one_photo(lazily: bool) -> None:  # noqa: FBT001
    """Whether it comes while the batch is handed over or while its results are taken in."""
    journal = fakes.FakeJournal()

    outcomes = pipeline(journal, FailingReader(lazily=lazily)).process(THREE)

    assert [outcome.now.relative.name for outcome in outcomes] == ["a.jpg", "c.jpg"]
    assert journal.events[0] == f"fault bad.jpg: {REASON}"


@dataclass
class FailingReader(fakes.FakeReader):
    """Fails over bad.jpg, at once or when its result is taken."""

    lazily: bool = False

    def read(self, batch: Sequence[FileSnapshot]) -> Iterable[Any]:
        """The results, one by one."""
        results = map(failing_over_bad, batch)
        return results if self.lazily else list(results)


def failing_over_bad(seen: FileSnapshot) -> Any:
    """A result."""
    return failing(lambda seen: fakes.FakeReader().read(seen))([seen])[0]


def test_an_unexpected_error_while_plans_are_recorded_costs_one_photo() -> None:
    """Nothing was changed for that photo, and nothing is."""
    journal = fakes.FakeJournal(unwritable="bad.jpg")

    outcomes = pipeline(journal).process(THREE)

    assert [outcome.now.relative.name for outcome in outcomes] == ["a.jpg", "c.jpg"]
    assert "apply bad.jpg" not in journal.events
    assert [fault.snapshot.place.relative.name for fault in journal.faults] == ["bad.jpg"]


def test_an_unexpected_error_while_files_are_changed_leaves_the_plan_to_a_replay() -> None:
    """It is applied once only: only the disk shows how far it came."""
    journal = fakes.FakeJournal()
    page = with_mistake(pipeline(journal), "apply")

    a, bad, c = page.process(THREE)

    assert (a.fault, c.fault) == (None, None)
    assert (bad.fault, bad.unfinished) == (REASON, True)
    assert journal.events.count("close bad.jpg") == 1


@pytest.mark.parametrize("error", [SystemFaultError("the disk is full"), StoppedError(), KeyboardInterrupt()])
@pytest.mark.parametrize("stage", ["group", "decide", "plan", "apply"])
def test_what_is_no_photos_failure_goes_up(stage: str, error: BaseException) -> None:
    """A broken journal, a stop, and Ctrl-C."""

    def raising(_: object) -> Any:
        raise error

    with pytest.raises(type(error)):
        pipeline(fakes.FakeJournal(), **{stage: raising}).process(THREE)


def test_an_unexpected_error_of_the_report_costs_nothing() -> None:
    """The photo is judged and applied."""
    journal = fakes.FakeJournal()
    reported: list[Outcome] = []

    outcomes = pipeline(journal, report=failing(reported.append)).process(THREE)

    assert [places_of(outcome) for outcome in outcomes] == ["a.jpg", "bad.jpg", "c.jpg"]
    assert [places_of(outcome) for outcome in reported] == ["a.jpg", "c.jpg"]
    assert journal.faults == []


def test_a_photo_that_changes_while_it_is_planned_is_tried_again() -> None:
    """As one that changes while it is decided about."""
    journal = fakes.FakeJournal()

    pipeline(journal).process([factories.snapshot("drafted.jpg"), factories.snapshot("b.jpg")])

    assert journal.events[:2] == ["fault drafted.jpg: it changed", "intend b.jpg"]


def test_the_next_batch_is_being_read_while_one_is_finished() -> None:
    """The workers need not wait for the loop."""
    reader = fakes.FakeReader()
    batches = [[factories.snapshot(name)] for name in "abc"]

    seen = [(batch, len(reader.begun)) for batch in read_ahead(reader, batches, list, UnexpectedErrors())]

    assert seen == [(batches[0], 2), (batches[1], 3), (batches[2], 3)]
    assert reader.begun == batches


def test_a_photo_that_the_journal_forgets_meanwhile_is_tried_again() -> None:
    """It was not assessed, for its content was known when the workers were asked."""
    journal = fakes.FakeJournal()

    assert pipeline(journal, fakes.FakeReader(known={"a.jpg"})).process([factories.snapshot("a.jpg")]) == []
    assert journal.events[0] == "fault a.jpg: its decision is no longer in the journal; culld reads the photo again"
