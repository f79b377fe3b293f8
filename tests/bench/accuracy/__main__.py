"""`make accuracy`: a model and its peers on the same pictures, as figures, a table and curves in the model's folder.

With `--check` nothing is written: each figure that differs from the written one is named, and the exit code is 1.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.accuracy.collect import Collection, collect
from bench.accuracy.compare_figures import differences
from bench.accuracy.results_page import results_page
from culld.cli import model_common
from culld.cli.model_evaluate import CURVES, FIGURES
from culld.errors import ConfigError, SystemFaultError
from culld.training.dataset import read_index, split
from culld.training.experiment import load_recipe
from culld.training.plots import draw_curves
from culld.training.report import Predictions, evaluation_figures, evaluation_report, report_text

TABLE = "table.md"
_HALF = (0.5, 0.5, 0.5)
_NEVER = (None, None, None)

Report = Mapping[str, Any]
Tags = dict[str, tuple[float, float, float]]


def main(arguments: Sequence[str]) -> int:
    """Measure and write, or measure and compare; return the exit code."""
    options = _options(arguments)
    written = _written(options.folder) if options.check else None
    with model_common.ProgressBars() as shown:
        report, predictions, tags = _measure(options, shown)
    print(results_page(report), end="")
    if written is not None:
        return _check(options.folder, written, report)
    (options.folder / FIGURES).write_text(report_text(report), "utf-8")
    (options.folder / TABLE).write_text(results_page(report), "utf-8")
    draw_curves(predictions, tags, options.folder / CURVES)
    return 0


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.accuracy", description=__doc__)
    parser.add_argument("folder", type=Path, metavar="MODEL", help="model folder; the models next to it are its peers")
    parser.add_argument("--photos", type=Path, required=True, metavar="DIR", help="photographs with their index.csv")
    parser.add_argument("--real-exposure", type=Path, metavar="DIR", help="really mis-exposed photos, to measure on")
    parser.add_argument("--cache", type=Path, metavar="DIR", help="folder of the cache (default: the user's)")
    parser.add_argument("--beside", type=Path, nargs="*", default=[], metavar="MODEL", help="further models to measure")
    parser.add_argument("--cleanvision", type=Path, metavar="PYTHON", help="an interpreter that has CleanVision")
    parser.add_argument("--check", action="store_true", help="write nothing; name each figure that differs")
    return parser.parse_args(arguments)


def _measure(
    options: argparse.Namespace, shown: model_common.ProgressBars
) -> tuple[Report, dict[str, dict[str, Predictions]], Tags]:
    """Return the report, the predictions by contender, and the thresholds of `tag` by contender."""
    experiment = load_recipe(options.folder / "train.yaml")
    parts = split(read_index(options.photos), experiment.splits)
    context = model_common.run_context(options, options.folder, shown.progress, None)
    collected = collect(options.folder, options.beside, options.cleanvision, parts, experiment.seed, context)
    predictions = collected.contenders.predict(parts.test, experiment.seed, context)
    figures = {
        each.name: evaluation_figures(
            predictions[each.name], each.tag, each.reject, experiment.prevalence if each.calibrated else None
        )
        for each in collected.classifiers
    }
    figures |= {name: evaluation_figures(predictions[name], _HALF, _NEVER, None) for name in collected.batches}
    figures |= collected.kept
    report = evaluation_report(collected.classifiers[0].name, figures, collected.notes, collected.missing)
    return report, predictions, _tags(collected)


def _tags(collected: Collection) -> Tags:
    return {each.name: each.tag for each in collected.classifiers} | dict.fromkeys(collected.batches, _HALF)


def _written(folder: Path) -> tuple[Report, str]:
    """Return the written figures and the written table; raises `ConfigError` if one cannot be read."""
    try:
        return json.loads((folder / FIGURES).read_text("utf-8")), (folder / TABLE).read_text("utf-8")
    except (OSError, ValueError) as error:
        raise ConfigError((f"{folder}: no figures to compare with ({error}): measure without --check",)) from error


def _check(folder: Path, written: tuple[Report, str], report: Report) -> int:
    """Print the figures that are not the written ones; the model itself may be another one of its name."""
    then, table = written
    problems = list(_problems(then, report))
    if table != results_page(then):
        problems.append(f"{folder / TABLE} does not show what {FIGURES} says: measure without --check")
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


def _problems(written: Report, report: Report) -> Iterator[str]:
    """Yield the differences by contender; a contender that was measured only once is printed and is no problem."""
    then, now = dict(written["contenders"]), dict(report["contenders"])
    first = then.pop(written["model"]), now.pop(report["model"])
    yield from (f"{report['model']}: {line}" for line in differences(*first))
    for name in dict.fromkeys([*then, *now]):
        if name in then and name in now:
            yield from (f"{name}: {line}" for line in differences(then[name], now[name]))
        else:
            print(f"not compared, as it was not measured both times: {name}", file=sys.stderr)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (ConfigError, SystemFaultError) as error:
        sys.exit(str(error))
