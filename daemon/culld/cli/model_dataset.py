"""`culld model dataset`: write a data set from a folder of clean photos: as KADIS-700k, or compressed again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from culld.cli import exit_codes, model_common
from culld.imaging.encode import jpeg_bytes, save
from culld.training.dataset import read_index, split
from culld.training.experiment import Splits
from culld.training.kadis_dataset import Row, Writer, kadis_samples, write_tables
from culld.training.recompressed_dataset import INDEX, RecompressedWriter, write_index
from culld.training.restoration.known_pairs import read_photo

if TYPE_CHECKING:
    import argparse


def dataset(args: argparse.Namespace) -> int:
    """Write the missing distorted photos, then the three tables; with `--recompress` compressed ones and the index."""
    return _recompressed(args) if args.recompress else _kadis(args)


def _recompressed(args: argparse.Namespace) -> int:
    scenes = read_index(args.photos)
    parts = split(scenes, Splits(seed=args.seed))
    writer = RecompressedWriter(args.photos, args.out, read_photo, jpeg_bytes)
    written = 0
    with model_common.ProgressBars() as shown:
        for number, scene in enumerate(scenes):
            written += writer.write(scene)
            shown.progress("photos", number + 1, len(scenes))
    counts = write_index(args.out, parts)
    of_parts = ", ".join(f"{part} {count}" for part, count in counts.items())
    print(f"{args.out}: {written} new files; {INDEX} has {of_parts} photos; no original is in two parts")
    return exit_codes.FINE


def _kadis(args: argparse.Namespace) -> int:
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
