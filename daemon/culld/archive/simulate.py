"""The use case `culld archive simulate`: what a policy would do to the photos of an archive, from its rows alone."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from typing import TYPE_CHECKING

from culld.app.model_files import load_model, resolve_policies
from culld.archive.nodes.ray_session import MISSING
from culld.archive.parquet.folder import ArchiveFolder
from culld.archive.simulation.judge import SERIES_VARIABLES
from culld.archive.simulation.layout import layout_of
from culld.archive.simulation.outcomes import Simulation
from culld.archive.simulation.parts import Roots, Tables, judged_parts
from culld.clock import SystemClock
from culld.config import load_config
from culld.config.fields import PrecisionTarget
from culld.errors import ConfigError, SystemFaultError
from culld.records import Mode, display_path
from culld.rules import REGION_VARIABLES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from culld.archive.parquet.folder import Manifest
    from culld.config import Config
    from culld.records import Policy

    Show = Callable[[int, int], object]


@dataclass(frozen=True, slots=True)
class SimulateRequest:
    """The configuration file with the policy, and the folder of the archive."""

    config_file: Path
    archive: Path


def simulate_archive(
    request: SimulateRequest, environ: Mapping[str, str], show: Show = lambda _done, _all: None, workers: int = 0
) -> Simulation:
    """Return what the policy of a configuration file would do to the photos of an archive; nothing is written.

    A photo below a watched folder of the file has the policy of that folder, another one the policy of the file. `show`
    takes the numbers of rows that are judged and of all rows. So many `workers` judge at a time; 0: as in the file.

    Raises ConfigError for a file with mistakes, a folder
    that is no archive, a damaged file of rows, and a precision for another model; SystemFaultError without a model.
    """
    if importlib.util.find_spec("pyarrow") is None:
        raise SystemFaultError(MISSING)
    config = load_config(request.config_file, environ)
    folder = ArchiveFolder(request.archive)
    with folder.read() as manifest:
        notes = _compared_models(config, request.config_file, manifest)
        policies = resolve_policies(config)
        found = Simulation(policies.default.digest).noted([*notes, *_notes(config, policies.default)])
        layout = layout_of(folder)
        found.missing = layout.missing
        tables = Tables(layout, Roots.of(config, policies, manifest), policies, SystemClock().now())
        rows, done = sum(each.rows for each in layout.files), 0
        for files, part in judged_parts(tables, workers or config.worker_count):
            found.add(part)
            done += sum(each.rows for each in layout.files[files.start : files.stop])
            show(done, rows)
    return found if found.photos else found.noted(["the archive holds no row of a photo that is there"])


def _compared_models(config: Config, file: Path, manifest: Manifest) -> list[str]:
    """Return a note if another model scored the archive; raises ConfigError if a precision needs that of the policy."""
    precise = [
        f"policy.defects.{name}.reject"
        for name in type(config.policy.defects).model_fields
        if isinstance(getattr(config.policy.defects, name).reject, PrecisionTarget)
    ]
    try:
        model = load_model(config.model.path)[1].id
    except SystemFaultError as error:
        if precise:
            raise
        return [f"the model of the policy is not compared with that of the archive: {error}"]
    if model == manifest.model:
        return []
    differ = f"the archive was scored by the model {manifest.model}, and the policy is for {model}"
    if precise:
        needed = f"{precise[0]} is a precision, which holds for one model only"
        advice = f"write a probability, or set model.path to {manifest.model}"
        raise ConfigError((f"{display_path(file)}: {needed}: {differ}; {advice}",))
    return [f"{differ}, whose scores may differ"]


def _notes(config: Config, policy: Policy) -> list[str]:
    """Return what the counts do not say about a policy."""
    found = []
    if named := sorted({name for rule in policy.named_rules for name in rule.when.variables & REGION_VARIABLES}):
        found.append(
            f"archives hold no regions: {', '.join(named)} {'is' if len(named) == 1 else 'are'} unknown, but for"
            " subject_sharp of photos with a face"
            if "subject_sharp" in named
            else f"archives hold no regions: {' and '.join(named)} {'is' if len(named) == 1 else 'are'} unknown, so"
            " that a condition that depends on it does not apply"
        )
    if all((watch.mode or config.policy.mode) is Mode.OBSERVE for watch in config.watch):
        found.append("policy.mode is observe: no photo is moved until the file sets enforce")
    if policy.names(SERIES_VARIABLES):
        found.append("a rule names series or series_ev: photos are compared with their neighbours, which takes longer")
    return found
