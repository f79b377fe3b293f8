"""`culld doctor` looks at everything that culld needs, and says the command that mends what is not well."""

from __future__ import annotations

import dataclasses
import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from culld.cli import config_option, exit_codes
from culld.errors import ConfigError, SystemFaultError
from culld.records import display_path

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from culld.config import Config
    from culld.system.doctor.checks import Check

_MARKS = {"ok": "ok  ", "warn": "WARN", "bad": "BAD "}


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Offer `doctor`."""
    parser = subparsers.add_parser(
        "doctor", help="check folders, permissions, file systems, limits, model; say the fix"
    )
    config_option.add_option(parser)
    parser.add_argument("--json", action="store_true", help="one JSON object a line: name, health, what, fix")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print every check; 3 if one of them is bad."""
    found_bad = False
    for check in _checks(args):
        found_bad = found_bad or check.health == "bad"
        for line in [json.dumps(dataclasses.asdict(check))] if args.json else _lines(check):
            print(line, flush=True)
    return exit_codes.SYSTEM_FAULT if found_bad else exit_codes.FINE


def _lines(check: Check) -> Iterator[str]:
    yield f"{_MARKS[check.health]} {check.name}: {check.what}"
    if check.fix:
        yield f"     fix: {check.fix}"


def _checks(args: argparse.Namespace) -> Iterator[Check]:
    from culld.inference.engine_selection import GPUS  # noqa: PLC0415
    from culld.system.doctor import environment  # noqa: PLC0415 - each command loads its own parts only
    from culld.system.doctor.checks import bad, ok  # noqa: PLC0415

    yield environment.python(sys.version_info[:3])
    yield environment.heic()
    yield environment.raw()
    yield environment.jxl()
    yield environment.tensorflow()
    yield environment.gpu(GPUS)
    yield environment.clock(datetime.now(UTC), Path(__file__).stat().st_mtime)
    libraries = list(environment.libraries())
    yield from libraries
    if any(check.health == "bad" for check in libraries):
        return  # what follows would need them
    from culld.app.model_files import with_resolved_thresholds  # noqa: PLC0415
    from culld.files.locks import lock_holder  # noqa: PLC0415

    try:
        path, config = config_option.load(args)
        config = with_resolved_thresholds(config)
    except (ConfigError, SystemFaultError) as error:
        for problem in error.problems if isinstance(error, ConfigError) else (str(error),):
            yield bad("configuration", problem, "mend it, then run `culld policy check` on the file")
        return
    rules = config.rules()
    yield ok("configuration", f"{display_path(path)}, mode {rules.mode}, policy {rules.digest}")
    yield environment.instance(lock_holder(config.state))
    yield from _of_folders(config)
    yield environment.model(lambda: _probe(config.model.path))
    yield from _of_engine(config)


def _of_engine(config: Config) -> Iterator[Check]:
    from culld.app.engine_pool import engine_for  # noqa: PLC0415
    from culld.app.model_files import locate_model  # noqa: PLC0415
    from culld.system.doctor import environment  # noqa: PLC0415

    try:
        choice = engine_for(config, locate_model(config.model.path))
    except SystemFaultError:  # the check of the model has said so
        return
    yield environment.engine(config.model.engine, choice.kind, choice.why)


def _of_folders(config: Config) -> Iterator[Check]:
    from culld.files import mounts  # noqa: PLC0415
    from culld.system.doctor import environment, folders  # noqa: PLC0415

    user = _user()
    roots = [watch.path for watch in config.watch]
    mounted = mounts.parse(mounts.MOUNTINFO.read_text("utf-8", "surrogateescape"))
    count = 0
    for root in roots:
        yield folders.watched(root, user)
        if folders.unreachable(root) is None and root.is_dir():
            survey = folders.survey_tree(root)
            count += survey.folders
            yield folders.below(root, survey, user)
        yield folders.file_system(root, mounted)
    yield folders.quarantine(config.quarantine, roots, user)
    reached = [place for place in (config.quarantine, config.state, *roots) if folders.unreachable(place) is None]
    there = [place for place in reached if place.is_dir()]
    yield from _of_changes([root for root in roots if root in there], config.quarantine, there)
    yield folders.state(config.state, mounted, user)
    for folder in {folders.device(place): place for place in reached}.values():
        yield folders.space(folder, folders.free(folder))
    yield environment.watches(count, environment.number(environment.WATCH_LIMIT))


def _of_changes(roots: list[Path], quarantine: Path, present: list[Path]) -> Iterator[Check]:
    """Try in the folders that are there what culld does to photos, on files of its own."""
    from culld.system.doctor import folders  # noqa: PLC0415

    there = [quarantine] if quarantine in present else []
    for folder in (*roots, *there):
        yield folders.changes(folder)
    for root in roots if there else []:
        yield folders.moves(root, quarantine)


def _user() -> str:
    import pwd  # noqa: PLC0415

    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:  # a container may run under a number without a name
        return str(os.geteuid())


def _probe(configured: Path | None) -> str:
    """Load the model and let it judge one empty frame."""
    from culld.app.model_files import load_model  # noqa: PLC0415
    from culld.inference.litert import silence_stderr  # noqa: PLC0415 - LiteRT and NumPy take a third of a second
    from culld.stages.read.scoring import open_litert  # noqa: PLC0415

    folder, card = load_model(configured)
    with silence_stderr():
        open_litert(folder / "model.tflite")
    return card.id
