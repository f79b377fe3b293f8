"""One run of the bench: the models of change on the frozen set, their cost, and the defect models beside them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import culld
from culld.compare import registry
from culld.compare.bench.defects import defect_folders, defect_rows
from culld.compare.bench.frozen_set import frozen_set
from culld.compare.bench.machine import this_machine
from culld.compare.bench.measure import both_figures, measure, set_facts
from culld.compare.bench.probe import alignment_cost, change_cost, defect_cost
from culld.compare.bench.results import ModelRow, Results
from culld.compare.model import Measure
from culld.inference.card import MODEL_FILE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from culld.compare.bench.measure import Measured
    from culld.compare.bench.results import Cost, DefectRow
    from culld.compare.model import Entry, Frame
    from culld.training.dataset import Scene, Split

UNTRAINED = "untrained"

_PROBED = 4  # pairs that a probe takes in turn
_SHIFT_PX = 16


@dataclass(frozen=True, slots=True)
class Task:
    """What to measure, and with what.

    `entries` are the models of change, `count` the number of test pairs. `decode(scene)` returns the photo for pairs,
    and `whole()` one in full size for alignment, both uint8 RGB. `models` is the folder of model folders, `current` the
    defect model in service. `advance(phase, done, total)` is called with the progress.
    """

    entries: Sequence[Entry]
    count: int
    scenes: Split
    decode: Callable[[Scene], Frame]
    whole: Callable[[], Frame]
    models: Path
    current: Path
    advance: Callable[[str, int, int], None]


def run_bench(task: Task) -> tuple[Results, Measured]:
    """Return the results, and what the models found on the test pairs, with the maps of some of them."""
    ready = {entry.name: registry.open_model(entry) for entry in task.entries if registry.is_trained(entry)}

    def on(phase: str, scenes: Sequence[Scene], count: int) -> Measured:
        done = iter(range(1, count + 1))
        pairs = frozen_set(scenes, count, task.decode)
        return measure(ready, pairs, lambda: task.advance(phase, next(done), count))

    calibration = on("calibration pairs", task.scenes.calibration, max(task.count // 2, 1))
    test = on("test pairs", task.scenes.test, task.count)
    costs = _change_costs(task, tuple(ready), test)
    rows = [_row(entry, calibration, test, costs) for entry in task.entries]
    alignment, size = _alignment(task)
    facts = set_facts(test, min(task.count, len(task.scenes.test)), len(calibration.digests))
    found = Results(culld.__version__, this_machine(), facts, tuple(rows), alignment, size, _defects(task, test))
    return found, test


def _row(entry: Entry, calibration: Measured, test: Measured, costs: dict[str, Cost]) -> ModelRow:
    if entry.name not in test.counts:
        return ModelRow(entry.name, entry.summary, missing=UNTRAINED)
    half, best = both_figures(calibration.counts[entry.name], test.counts[entry.name])
    size = None if isinstance(entry, Measure) else (registry.model_folder(entry) / MODEL_FILE).stat().st_size
    return ModelRow(entry.name, entry.summary, half, best, costs[entry.name], size)


def _change_costs(task: Task, names: Sequence[str], test: Measured) -> dict[str, Cost]:
    pairs = [(example.pair.first, example.pair.second) for example in test.examples[:_PROBED]]
    found = {}
    for number, name in enumerate(names, 1):
        found[name] = change_cost(name, pairs)
        task.advance("time and memory", number, len(names))
    return found


def _alignment(task: Task) -> tuple[Cost, tuple[int, int]]:
    """Return the cost of aligning two parts of one photo that lie 16 pixels apart, and their (width, height)."""
    photo = task.whole()
    first, second = photo[:-_SHIFT_PX, :-_SHIFT_PX], photo[_SHIFT_PX:, _SHIFT_PX:]
    return alignment_cost([(first, second)]), (first.shape[1], first.shape[0])


def _defects(task: Task, test: Measured) -> tuple[DefectRow, ...]:
    """Return the rows of the defect models, with time, memory and size of those that have a file."""
    folders = defect_folders(task.models)
    frames = [example.pair.first for example in test.examples[:_PROBED]]
    found = []
    for row in defect_rows(task.current, tuple(folders.values())):
        folder = folders.get(row.name)
        if folder is not None:
            size = (folder / MODEL_FILE).stat().st_size
            row = replace(row, cost=defect_cost(folder, frames), size_bytes=size)  # noqa: PLW2901 - the same row, whole
        found.append(row)
    return tuple(found)
