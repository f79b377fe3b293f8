"""The page: photos go through the stages in order, and one photo's failure stays its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import factories
import fakes
from culld.errors import PhotoChangedError, PhotoError
from culld.pipeline import Pipeline, one_ahead
from culld.records import Assessment, Outcome, Plan, Stack, Verdict


def group(assessed: Sequence[Assessment]) -> list[Stack]:
    """Each photo is a stack of its own."""
    return [Stack(assessment) for assessment in assessed]


def group_unless_gone(assessed: Sequence[Assessment]) -> list[Stack]:
    """As `group`, but the folder of gone.jpg cannot be listed."""
    if any(assessment.photo.place.relative.name == "gone.jpg" for assessment in assessed):
        raise PhotoChangedError("the folder is gone")
    return group(assessed)


def decide(stacks: Sequence[Stack]) -> list[Plan | PhotoError]:
    """Keep everything, but fail on a photo called changed.jpg."""
    return [
        PhotoChangedError("it changed")
        if stack.lead.photo.place.relative.name == "changed.jpg"
        else factories.plan(stack, Verdict.KEEP)
        for stack in stacks
    ]


def pipeline(journal: fakes.FakeJournal, reader: fakes.FakeReader | None = None) -> Pipeline:
    """A pipeline that notes in the journal when it applies."""

    def apply(plan: Plan) -> Outcome:
        journal.events.append(f"apply {plan.photo.place.relative}")
        return Outcome(plan, plan.photo.place, plan.photo.stamp, plan.photo.digest)

    return Pipeline(reader or fakes.FakeReader(), journal, group, decide, apply)


def test_the_intent_is_recorded_before_anything_is_applied() -> None:
    """One intent for the batch, then each photo is applied and closed in turn."""
    journal = fakes.FakeJournal()

    outcomes = pipeline(journal).process([factories.sighting("a.jpg"), factories.sighting("b.jpg")])

    assert [outcome.now.relative.name for outcome in outcomes] == ["a.jpg", "b.jpg"]
    assert journal.events == ["intend a.jpg b.jpg", "apply a.jpg", "close a.jpg", "apply b.jpg", "close b.jpg", "end"]


def test_what_was_judged_before_is_not_judged_again() -> None:
    """Seen content drops out before it costs any inference."""
    journal = fakes.FakeJournal(seen={"a.jpg"})

    outcomes = pipeline(journal).process([factories.sighting("a.jpg"), factories.sighting("b.jpg")])

    assert [outcome.now.relative.name for outcome in outcomes] == ["b.jpg"]


def test_one_unreadable_file_does_not_stop_the_batch() -> None:
    """Its fault is recorded, the others come through."""
    journal = fakes.FakeJournal()

    outcomes = pipeline(journal, fakes.FakeReader(faults={"a.jpg": "no permission"})).process(
        [factories.sighting("a.jpg"), factories.sighting("b.jpg")]
    )

    assert [outcome.now.relative.name for outcome in outcomes] == ["b.jpg"]
    assert journal.events[0] == "fault a.jpg: no permission"


def test_a_photo_that_changes_before_its_plan_is_looked_at_again() -> None:
    """The plan is dropped and the fault recorded; nothing is applied to that photo."""
    journal = fakes.FakeJournal()

    pipeline(journal).process([factories.sighting("changed.jpg"), factories.sighting("b.jpg")])

    assert journal.events == ["fault changed.jpg: it changed", "intend b.jpg", "apply b.jpg", "close b.jpg", "end"]


def test_a_folder_that_is_gone_costs_only_its_own_photos() -> None:
    """What lies beside the others can still be told."""
    journal = fakes.FakeJournal()
    page = replace(pipeline(journal), group=group_unless_gone)

    page.process([factories.sighting("gone.jpg"), factories.sighting("b.jpg")])

    assert journal.events[:2] == ["fault gone.jpg: the folder is gone", "intend b.jpg"]


def test_the_next_batch_is_being_read_while_one_is_finished() -> None:
    """The workers need not wait for the loop."""
    begun: list[str] = []

    def begin(batch: str) -> str:
        begun.append(batch)
        return batch

    seen = [(batch, "".join(begun)) for batch in one_ahead(begin, "abc")]

    assert seen == [("a", "ab"), ("b", "abc"), ("c", "abc")]


def test_what_the_journal_forgets_meanwhile_is_looked_at_again() -> None:
    """It was not assessed, for its content was known when the workers were asked."""
    journal = fakes.FakeJournal(seen={"a.jpg"})
    page = pipeline(journal)
    reading = page.begin([factories.sighting("a.jpg")])
    journal.seen.clear()

    assert page.finish(reading) == []
    assert journal.events[0] == "fault a.jpg: what was known of it is gone; culld looks again"
