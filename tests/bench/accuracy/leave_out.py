"""`make sources`: each source of photographs, judged by heads and a calibration that saw none of its photographs.

This predicts what photographs of other people will show. The sources are dealt into folds; for each fold the heads are
trained anew on the features of the other sources, which `culld model train` keeps in `--cache`: one draw of the
pictures, and one set of heads in place of several. Nothing of the test scenes is read. The page is `sources.md` in the
model's folder.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.accuracy.results_page import count_cell, table_lines
from culld.cli import model_common
from culld.errors import ConfigError
from culld.records import NETWORK_DEFECTS
from culld.training.calibration import LabelledLogits, calibrate
from culld.training.dataset import HARD_TAGS, Scene, read_index, split
from culld.training.defects.features import Table
from culld.training.defects.fit import fit_heads
from culld.training.defects.network import Layout, joined, layout_of
from culld.training.defects.real_photos import real_scenes
from culld.training.defects.train import feature_tables, frozen_groups
from culld.training.experiment import Experiment, load_experiment
from culld.training.metrics import calibration_error

PAGE = "sources.md"
FOLDS = 6
Rows = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Judged:
    """Rows of the sources that were left out, and their probabilities (n, 3)."""

    table: Table
    chances: NDArray[np.float32]


def main(arguments: Sequence[str]) -> int:
    """Measure and write the page."""
    options = _options(arguments)
    experiment = replace(load_experiment(options.folder / "train.yaml"), draws=1, calibration_draws=1, ensemble=1)
    with model_common.ProgressBars() as shown:
        context = model_common.run_context(options, options.folder, shown.progress, None)
        scenes = split(read_index(context.photos), experiment.splits)
        real = real_scenes(context.real) if context.real else ()
        groups = frozen_groups(experiment, context)
        learn, held = feature_tables(joined(groups), scenes, real, experiment, context)
        sources = {scene.file: scene.source for scene in (*scenes.train, *scenes.calibration, *real)}
        if len(set(sources.values())) < 2:
            raise ConfigError((f"{options.photos}: all photographs are of one source, so none can be left out",))
        layout = layout_of(groups, experiment.groups)
        judged = [_judged(out, learn, held, layout, experiment, sources) for out in folds(sources)]
    joint = Judged(Table.joined([each.table for each in judged]), np.concatenate([each.chances for each in judged]))
    page = "\n".join(page_lines(joint, (*scenes.train, *scenes.calibration, *real), experiment)) + "\n"
    (options.folder / PAGE).write_text(page, "utf-8")
    print(page)
    return 0


def folds(sources: Mapping[str, str]) -> list[frozenset[str]]:
    """Return the sources in folds: the largest first, each into the fold that has the fewest photographs."""
    dealt: list[set[str]] = [set() for _ in range(FOLDS)]
    sizes = [0] * FOLDS
    for source, count in sorted(Counter(sources.values()).items(), key=lambda each: (-each[1], each[0])):
        least = sizes.index(min(sizes))
        dealt[least].add(source)
        sizes[least] += count
    return [frozenset(each) for each in dealt if each]


def _judged(
    out: frozenset[str], learn: Table, held: Table, layout: Layout, experiment: Experiment, sources: Mapping[str, str]
) -> Judged:
    """Train on the rows of all other sources, calibrate on theirs, and judge the rows of the sources in `out`."""
    of_learn, of_held = (np.array([sources[file] in out for file in each.scene]) for each in (learn, held))
    heads = fit_heads(_rows(learn, ~of_learn), layout, experiment, lambda _done, _total: None)
    rest = _rows(held, ~of_held)
    fitted = calibrate(
        LabelledLogits(heads.predict(rest.features, verbose=0), rest.labels, rest.known), experiment.prevalence
    )
    left = Table.joined([_rows(learn, of_learn), _rows(held, of_held)])
    return Judged(left, fitted.probabilities(heads.predict(left.features, verbose=0)).astype(np.float32))


def _rows(table: Table, mask: Rows) -> Table:
    return Table(*(getattr(table, field.name)[mask] for field in fields(Table)))


def page_lines(judged: Judged, scenes: Sequence[Scene], experiment: Experiment) -> Iterator[str]:
    """Yield the lines of the page: clean photographs, defects found, and the calibration, by source."""
    sources = {scene.file: scene.source for scene in scenes}
    kinds = {scene.file: next((tag for tag in HARD_TAGS if tag in scene.tags), "ordinary") for scene in scenes}
    of_source = np.array([sources[file] for file in judged.table.scene])
    of_kind = np.array([kinds[file] for file in judged.table.scene])
    yield "# Each source, by heads that saw none of its photographs\n"
    yield (
        f"The sources are dealt into {FOLDS} folds; for each the heads of `{experiment.name}-{experiment.version}` are "
        "trained and calibrated on the others, one set on one draw of the pictures. No test scene is in it. "
        "95 % intervals in brackets.\n"
    )
    first = _first_of_each(judged.table.scene)
    yield "## Clean photographs, as they are: tagged, and past `reject`\n"
    yield from _clean(judged, first, of_source, of_kind, experiment)
    yield "## Pictures with a defect: found at `tag`\n"
    yield from _found(judged, of_source, experiment)
    yield "## Calibration error by head\n"
    yield from _calibration(judged, of_source, experiment)


def _first_of_each(scene: NDArray[np.str_]) -> Rows:
    """Return the first row of each scene: its photograph as it is."""
    mask = np.zeros(len(scene), bool)
    mask[np.unique(scene, return_index=True)[1]] = True
    return mask


def _clean(
    judged: Judged, first: Rows, of_source: NDArray[np.str_], of_kind: NDArray[np.str_], experiment: Experiment
) -> list[str]:
    clean = first & (judged.table.labels.max(axis=1) == 0) & judged.table.known.all(axis=1)
    named = [(source, clean & (of_source == source) & (of_kind == "ordinary")) for source in _by_size(of_source[clean])]
    named += [(f"all {kind}", clean & (of_kind == kind)) for kind in ("ordinary", *HARD_TAGS)]
    rows = []
    for name, mask in named:
        if not mask.any():
            continue
        chances, count = judged.chances[mask], int(mask.sum())
        cells = [count_cell(int((chances[:, head] >= experiment.tag[head]).sum()), count) for head in range(3)]
        past = [
            int((chances[:, head] >= (experiment.reject[head] or 0.97)).sum()) for head in range(len(NETWORK_DEFECTS))
        ]
        rows.append([f"{name} ({count})", *cells, *map(str, past)])
    names = [str(defect) for defect in NETWORK_DEFECTS]
    return table_lines(["", *names, *(f"{name} past reject" for name in names)], rows)


def _found(judged: Judged, of_source: NDArray[np.str_], experiment: Experiment) -> list[str]:
    rows = []
    for name, mask in _named(of_source):
        cells = []
        for head in range(3):
            sure = mask & judged.table.known[:, head] & (judged.table.labels[:, head] == 1)
            hits = int((judged.chances[sure, head] >= experiment.tag[head]).sum())
            cells.append(count_cell(hits, int(sure.sum())))
        rows.append([name, *cells])
    return table_lines(["", *(str(defect) for defect in NETWORK_DEFECTS)], rows)


def _calibration(judged: Judged, of_source: NDArray[np.str_], experiment: Experiment) -> list[str]:
    rows = []
    for name, mask in _named(of_source):
        cells = []
        for head in range(3):
            labels = judged.table.labels[:, head]
            sure = mask & judged.table.known[:, head] & ((labels == 0) | (labels == 1))
            error = calibration_error(judged.chances[sure, head], labels[sure] == 1, experiment.prevalence[head])
            cells.append(f"{error:.3f}")
        rows.append([name, *cells])
    return table_lines(["", *(str(defect) for defect in NETWORK_DEFECTS)], rows)


def _named(of_source: NDArray[np.str_]) -> list[tuple[str, Rows]]:
    return [*((source, of_source == source) for source in _by_size(of_source)), ("all", np.ones(len(of_source), bool))]


def _by_size(of_source: NDArray[np.str_]) -> list[str]:
    return [str(source) for source, _ in Counter(of_source.tolist()).most_common()]


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.accuracy.leave_out", description=__doc__)
    parser.add_argument("folder", type=Path, metavar="MODEL", help="model folder with its train.yaml")
    parser.add_argument("--photos", type=Path, required=True, metavar="DIR", help="photographs with their index.csv")
    parser.add_argument("--real", type=Path, metavar="DIR", help="photographs of real defects and hard light")
    parser.add_argument("--weights", required=True, metavar="FILE", help="backbone weights")
    parser.add_argument("--cache", type=Path, metavar="DIR", help="folder of the cache (default: the user's)")
    parser.set_defaults(real_exposure=None)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except ConfigError as error:
        sys.exit(str(error))
