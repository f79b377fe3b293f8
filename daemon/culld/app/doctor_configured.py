"""The checks of `culld doctor` on the configuration and on its folders, model and engine."""

from __future__ import annotations

import os
import pwd
from typing import TYPE_CHECKING

from culld.app.clip_extra import FIX as EXTRA_FIX
from culld.app.clip_extra import missing_extra
from culld.app.engine_pool import engine_for
from culld.app.model_files import load_model, locate_face_networks, locate_model, resolve_policies
from culld.config import find_config, load_config
from culld.errors import ConfigError, SystemFaultError
from culld.files import mounts
from culld.files.locks import lock_holder
from culld.inference.card import MODEL_FILE, load_card
from culld.inference.litert import LiteRtNetwork, silence_stderr
from culld.records import display_path
from culld.stages.read.scoring import open_litert
from culld.subject.finder import SubjectFinder
from culld.system.doctor import environment, folders, libraries
from culld.system.doctor.checks import bad, ok, warn

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from culld.config import Config
    from culld.system.doctor.checks import Check


def configured_checks(config_file: Path | None, environ: Mapping[str, str]) -> Iterator[Check]:
    """Yield the checks; if the configuration has mistakes, yield one bad check per mistake and no others."""
    try:
        path = find_config(config_file, environ)
        config = load_config(path, environ)
        policies = resolve_policies(config)
    except (ConfigError, SystemFaultError) as error:
        for problem in error.problems if isinstance(error, ConfigError) else (str(error),):
            yield bad("configuration", problem, "correct it, then run `culld policy check` on the file")
        return
    policy = policies.default
    yield ok("configuration", f"{display_path(path)}, mode {policy.mode}, policy {policy.digest}")
    if missing_extra(policies):
        yield warn("clips", "policy.clips is set, but no clip is judged without the extra `video`", EXTRA_FIX)
    yield environment.instance(lock_holder(config.state))
    yield from _of_folders(config)
    yield environment.model(lambda: _probe_model(config.model.path))
    yield from _of_engine(config)


def _of_engine(config: Config) -> Iterator[Check]:
    try:
        choice = engine_for(config, locate_model(config.model.path))
    except SystemFaultError:  # the check of the model has reported it
        return
    yield environment.engine(config.model.engine, choice.kind, choice.why)


def _of_folders(config: Config) -> Iterator[Check]:
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
    yield from _of_libraries([root for root in roots if root in reached], config.quarantine, reached)
    present = [place for place in reached if place.is_dir()]
    yield from _of_changes([root for root in roots if root in present], config.quarantine, present)
    yield folders.state(config.state, mounted, user)
    for folder in {folders.device(place): place for place in reached}.values():
        yield folders.space(folder, folders.free(folder))
    yield environment.watches(count, environment.number(environment.WATCH_LIMIT))


def _of_libraries(roots: list[Path], quarantine: Path, reached: list[Path]) -> Iterator[Check]:
    """Look for the files of photo programs in and above the folders that answer."""
    for root in roots:
        yield from libraries.watched_library(root)
    if quarantine in reached:
        yield from libraries.quarantine_library(quarantine)


def _of_changes(roots: list[Path], quarantine: Path, present: list[Path]) -> Iterator[Check]:
    """Try the file operations of culld on temporary files in the present folders."""
    quarantines = [quarantine] if quarantine in present else []
    for folder in (*roots, *quarantines):
        yield folders.changes(folder)
    for root in roots if quarantines else []:
        yield folders.moves(root, quarantine)


def _user() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:  # a container may run under a number without a name
        return str(os.geteuid())


def _probe_model(configured: Path | None) -> str:
    """Load the networks, run each on one empty frame, and return the identifiers of their cards."""
    folder, card = load_model(configured)
    faces = locate_face_networks()
    with silence_stderr():
        open_litert(folder / "model.tflite")
        SubjectFinder.open(faces)
        LiteRtNetwork(faces / MODEL_FILE)
    return f"{card.id}, {load_card(faces).id}"
