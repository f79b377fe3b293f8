"""`culld model evaluate`: a model and its peers on the same pictures, as figures, a table and curves."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from culld.cli import exit_codes, model_common, model_peers
from culld.errors import ConfigError
from culld.training.compare_figures import differences
from culld.training.defects.dataset import read_index, split
from culld.training.evaluate import predict
from culld.training.experiment import load_recipe
from culld.training.figures import evaluation_figures
from culld.training.measuring import bench, cost
from culld.training.plots import draw_curves
from culld.training.table import results_page

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Mapping

    from culld.training.bench import Predictions

    Report = Mapping[str, Any]

FIGURES, TABLE, PICTURE = "figures.json", "table.md", "curves.png"
_HALF = (0.5, 0.5, 0.5)
_NEVER = (None, None, None)


def add(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Offer `evaluate`."""
    parser = actions.add_parser("evaluate", help="measure a model on photographs it was not trained on")
    parser.add_argument("folder", type=Path, metavar="MODEL", help="model folder")
    parser.add_argument("--photos", type=Path, required=True, metavar="DIR", help="photographs with their index.csv")
    parser.add_argument("--beside", type=Path, nargs="*", default=[], metavar="MODEL", help="other models to measure")
    parser.add_argument(
        "--peers", action="store_true", help="measure plain rules, CleanVision and the models next to MODEL as well"
    )
    parser.add_argument("--cleanvision", type=Path, metavar="PYTHON", help="an interpreter that has CleanVision")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON in place of the table")
    parser.add_argument(
        "--check", action="store_true", help="write nothing; name each figure that is not the one written in MODEL"
    )


def evaluate(args: argparse.Namespace) -> int:
    """Print the table; write it, its figures and curves into the model folder, or compare with those that are there."""
    written = _written(args.folder) if args.check else None
    with model_common.ProgressBars() as shown:
        report, answers, tags = _measured(args, shown)
    table = results_page(report)
    print(_text(report) if args.json else table, end="")
    if written is not None:
        return _check(args.folder, written, report)
    (args.folder / FIGURES).write_text(_text(report), "utf-8")
    (args.folder / TABLE).write_text(table, "utf-8")
    draw_curves(answers, tags, args.folder / PICTURE)
    return exit_codes.FINE


def _measured(
    args: argparse.Namespace, shown: model_common.ProgressBars
) -> tuple[Report, dict[str, Predictions], dict[str, tuple[float, float, float]]]:
    """The report on everybody, what they said, and from where on they call a defect."""
    experiment = load_recipe(args.folder / "train.yaml")
    parts = split(read_index(args.photos), experiment.ground)
    around = model_common.run_context(args, args.folder, shown.progress, None)
    called = model_peers.collect_classifiers(args, around, parts.calibration, experiment.seed)
    ours, *_ = known = called.contenders
    print(f"{ours.name}: {cost(ours, parts.test, around)} ms for a frame on one core, here and now", file=sys.stderr)
    answers = predict(bench(known, around, called.batches), parts.test, experiment.seed, args.real_exposure)
    found = {
        each.name: evaluation_figures(
            answers, each.name, each.tag, each.reject, experiment.prevalence if each.chances else None
        )
        for each in known
    }
    found |= {name: evaluation_figures(answers, name, _HALF, _NEVER, None) for name in called.batches}
    report = {"model": ours.name, "notes": called.notes, "missing": called.missing, "contenders": found}
    return report, answers, dict.fromkeys(called.batches, _HALF) | {each.name: each.tag for each in known}


def _text(report: Report) -> str:
    return json.dumps(report, indent=1, ensure_ascii=False) + "\n"


def _written(folder: Path) -> tuple[Report, str]:
    """The figures and the table that are there."""
    try:
        return json.loads((folder / FIGURES).read_text("utf-8")), (folder / TABLE).read_text("utf-8")
    except (OSError, ValueError) as error:
        raise ConfigError((f"{folder}: no figures to compare with ({error}): evaluate without --check",)) from error


def _check(folder: Path, written: tuple[Report, str], report: Report) -> int:
    """Say which figures are not those that were written down; the model itself may be another one of its name."""
    then, table = written
    problems = list(_problems(then, report))
    if table != results_page(then):
        problems.append(f"{folder / TABLE} does not show what {FIGURES} says: evaluate without --check")
    for problem in problems:
        print(problem, file=sys.stderr)
    return exit_codes.SOME_FAILED if problems else exit_codes.FINE


def _problems(written: Report, report: Report) -> Iterator[str]:
    """What differs, contender by contender; somebody who is on one side only is told of, and is no problem."""
    then, now = dict(written["contenders"]), dict(report["contenders"])
    first = then.pop(written["model"]), now.pop(report["model"])
    yield from (f"{report['model']}: {line}" for line in differences(*first))
    for name in dict.fromkeys([*then, *now]):
        if name in then and name in now:
            yield from (f"{name}: {line}" for line in differences(then[name], now[name]))
        else:
            print(f"not compared, as it was not measured both times: {name}", file=sys.stderr)
