"""`culld compare bench`: all models of change on one frozen set, as JSON, as Markdown and as a page."""

from __future__ import annotations

import importlib.util
import sys
from functools import partial
from typing import TYPE_CHECKING

from culld.app.model_files import locate_model, shipped_models
from culld.cli import exit_codes, model_common
from culld.cli.compare_options import OUT
from culld.compare import registry
from culld.compare.bench.bench import Task, run_bench
from culld.compare.bench.frozen_set import PHOTO_LONGEST, unseen
from culld.compare.bench.page import page
from culld.compare.bench.results import PAGE_FILE, RESULTS_FILE, TABLE_FILE, results_json
from culld.compare.bench.table import markdown
from culld.compare.model import Network
from culld.errors import ConfigError, PhotoError, SystemFaultError
from culld.imaging.decode import decode_upright
from culld.imaging.formats import HEAD_BYTES, recognise
from culld.imaging.image_file import DecodeLimits
from culld.records import display_path
from culld.training.change.experiment import load_change
from culld.training.dataset import read_index

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from culld.compare.model import Entry
    from culld.training.dataset import Scene
    from culld.training.experiment import Splits

RECIPE_FILE = "train.yaml"


def run(args: argparse.Namespace) -> int:
    """Measure, write the three files, and print the tables, or the results as JSON."""
    if importlib.util.find_spec("cv2") is None:
        raise SystemFaultError("the bench needs OpenCV: run `pip install 'culld[vision]'`")
    if args.photos is None:
        raise ConfigError(("culld compare bench needs photos: add --photos DIR, a folder with an index.csv",))
    entries = _chosen(args.models)
    scenes = unseen(read_index(args.photos), _splits(entries))
    with model_common.ProgressBars() as shown:
        results, test = run_bench(
            Task(
                entries=entries,
                count=args.pairs,
                scenes=scenes,
                decode=partial(decode_scene, args.photos, PHOTO_LONGEST),
                whole=partial(decode_scene, args.photos, None, _largest(args.photos, scenes.test)),
                models=_models(),
                current=locate_model(None),
                advance=shown.progress,
            )
        )
    out, text = args.out or OUT, results_json(results)
    _write(out, {RESULTS_FILE: text, TABLE_FILE: markdown(results), PAGE_FILE: page(results, test)})
    print(text if args.json else markdown(results), end="")
    print(f"frozen set {results.pairs.digest}; {display_path(out / PAGE_FILE)} is the page", file=sys.stderr)
    return exit_codes.FINE


def decode_scene(photos: Path, longest: int | None, scene: Scene) -> NDArray[np.uint8]:
    """Return the photo of a scene upright, uint8 RGB, with a longer side of `longest` pixels at most.

    Raises ConfigError for a photo that is missing or cannot be decoded.
    """
    path = photos / scene.file
    try:
        with path.open("rb") as stream:
            format_ = recognise(stream.read(HEAD_BYTES))
            return decode_upright(stream, format_, DecodeLimits(), longest)
    except (OSError, PhotoError) as error:
        raise ConfigError((f"{display_path(path)}, which index.csv lists, cannot be read: {error}",)) from error


def _largest(photos: Path, scenes: Sequence[Scene]) -> Scene:
    """Return the scene with the largest file."""
    return max(scenes, key=lambda scene: (photos / scene.file).stat().st_size if (photos / scene.file).is_file() else 0)


def _chosen(names: str | None) -> Sequence[Entry]:
    return registry.entries() if names is None else [registry.entry(name.strip()) for name in names.split(",")]


def _splits(entries: Sequence[Entry]) -> Iterator[Splits]:
    """Yield the split of the photos that each trained network was trained with."""
    for entry in entries:
        recipe = registry.model_folder(entry) / RECIPE_FILE
        if isinstance(entry, Network) and registry.is_trained(entry) and recipe.is_file():
            yield load_change(recipe).splits


def _models() -> Path:
    """Return the folder of model folders that the model in service is in."""
    return next(folder for folder in shipped_models() if folder.is_dir())


def _write(out: Path, files: dict[str, str]) -> None:
    """Write the files into a folder; raises SystemFaultError if that cannot be done."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (out / name).write_text(text, "utf-8")
    except OSError as error:
        raise SystemFaultError(f"{display_path(out)} cannot be written: {error.strerror}") from error
