"""A pass that changes nothing: the stages to the decision are the same, and no plan is made or carried out."""

from __future__ import annotations

import contextlib
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from culld.app.startup import JOURNAL
from culld.clock import SystemClock
from culld.journal.dry_run import DryRunJournal
from culld.journal.store import SqliteJournal
from culld.pipeline import no_late_series
from culld.records import Outcome
from culld.stages.plan import bare_plan

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from culld.config import Config
    from culld.pipeline import Pipeline
    from culld.records import Decision, Plan


@contextlib.contextmanager
def journal_for_dry_run(config: Config) -> Iterator[DryRunJournal]:
    """Open the journal for reading only; before the first start of culld an empty one in a temporary folder.

    Raises SystemFaultError.
    """
    with contextlib.ExitStack() as stack:
        path = config.state / JOURNAL
        if not path.exists():
            path = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="culld-"))) / JOURNAL
            SqliteJournal.open(path, SystemClock()).close()
        yield stack.enter_context(DryRunJournal.of(path, SystemClock()))


def without_changes(pipeline: Pipeline, prefix: str) -> Pipeline:
    """Return the pipeline with outcomes that name what would be done; `prefix` is that of the keywords.

    Photos that would come back from quarantine for their series are not among them.
    """

    def plan(decisions: Sequence[Decision]) -> list[Plan]:
        return [bare_plan(decision, prefix) for decision in decisions]

    def pretend(made: Plan) -> Outcome:
        return Outcome(made, made.photo.place, made.photo.stamp, made.photo.digest)

    return replace(pipeline, stages=replace(pipeline.stages, plan=plan, apply=pretend, bring_back=no_late_series))
