"""`culld model dataset`: write a data set in the manner of KADIS-700k from a folder of clean photos."""

from __future__ import annotations

from typing import TYPE_CHECKING

from culld.cli import exit_codes, model_common
from culld.imaging.encode import save
from culld.training.dataset import read_index, split
from culld.training.experiment import Splits
from culld.training.kadis_dataset import Row, Writer, kadis_samples, write_tables

if TYPE_CHECKING:
    import argparse


def dataset(args: argparse.Namespace) -> int:
    """Write the missing distorted photos, then the three tables."""
    scenes = read_index(args.photos)
    parts = split(scenes, Splits(seed=args.seed))
    writer = Writer(args.photos, args.out, model_common.decode_file, save)
    args.out.mkdir(parents=True, exist_ok=True)
    rows: list[list[Row]] = []
    with model_common.ProgressBars() as shown:
        for scene in scenes:
            rows.append(writer.write(scene, kadis_samples(scene, args.kinds, args.seed)))
            shown.progress("photos", len(rows), len(scenes))
    train, val = write_tables(args.out, parts, rows)
    print(f"{args.out}: labels.csv has {train + val} photos, train.csv {train}, val.csv {val}; no original is in both")
    return exit_codes.FINE
