"""Fit and measure the correction of exposure by the subject: `exposure.py fit` and `exposure.py evaluate`.

Both render the pictures of `culld.training.exposure` and keep their measures in `--cache`. `fit` learns on scenes that
the defect network was trained or calibrated on, and writes `models/exposure/params.json` and its card. `evaluate`
measures on the network's test scenes and on photographs of others, none of which `fit` reads, and writes
`models/exposure/table.md`.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import math
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from culld.imaging.decode import decode
from culld.imaging.encode import jpeg_roundtrip
from culld.imaging.image_file import DecodeLimits
from culld.inference.card import Card, load_card, model_digest, save_card
from culld.inference.litert import LiteRtNetwork
from culld.records import Defect, Format, Threshold
from culld.records.frame import HEIGHT, WIDTH
from culld.stages.read.scoring import open_litert, score
from culld.subject.exposure import load_correction, log_odds, strengths
from culld.subject.light import measure
from culld.training.dataset import Scene, read_index, split
from culld.training.defects.real_photos import is_kept_out
from culld.training.experiment import Splits
from culld.training.exposure.fit import Rows, fit, group_weights
from culld.training.exposure.pictures import pictures
from culld.training.provenance import provenance

HERE = Path(__file__).resolve()
MODELS = HERE.parents[2] / "models"
SHARED = HERE.parents[3] / "shared"
PARAMS = MODELS / "exposure" / "params.json"
EVERY = 6  # `fit` renders each sixth scene and all hard ones
TAG, REJECT = 0.6, 0.97
UNDER, OVER = 0, 1
Frame = NDArray[np.uint8]


@dataclass(frozen=True)
class Table:
    """Pictures, one row each: measures, the network's (under, over), labels and which are known; group and file."""

    measures: NDArray[np.float64]
    network: NDArray[np.float64]
    labels: NDArray[np.bool_]
    known: NDArray[np.bool_]
    groups: NDArray[np.str_]
    files: NDArray[np.str_]

    def where(self, mask: NDArray[np.bool_]) -> Table:
        """Return the rows of the mask."""
        return Table(*(getattr(self, name)[mask] for name in self.__dataclass_fields__))


Entry = tuple[NDArray[np.float64], tuple[float, float], tuple[bool, bool], tuple[bool, bool], str, str]


def table_of(entries: Iterable[Entry]) -> Table:
    """Return the table of these rows."""
    columns = list(zip(*entries, strict=True))
    kinds = (np.float64, np.float64, np.bool_, np.bool_, np.str_, np.str_)
    return Table(*(np.array(column, kind) for column, kind in zip(columns, kinds, strict=True)))


def cached(file: Path, make: Callable[[], Table]) -> Table:
    """Return the table in this file, made on the first call."""
    if not file.exists():
        table = make()
        file.parent.mkdir(parents=True, exist_ok=True)
        np.savez(file, **{name: getattr(table, name) for name in table.__dataclass_fields__})
    with np.load(file) as stored:
        return Table(*(stored[name] for name in Table.__dataclass_fields__))


def decoded(file: Path) -> Frame:
    """Return the network frame of a JPEG file."""
    with file.open("rb") as stream:
        return decode(stream, Format.JPEG, DecodeLimits())


def row(network: LiteRtNetwork, frame: Frame, labels: tuple[bool, bool], known: tuple[bool, bool], name: str) -> Entry:
    """Judge one frame; `name` is `group|file`."""
    scores = score(network, frame)
    group, _, file = name.partition("|")
    return measure(frame), (scores.under, scores.over), labels, known, group, file


def rendered(scenes: Sequence[Scene], photos: Path, network: LiteRtNetwork) -> Iterable[Entry]:
    """Yield the pictures of these scenes."""
    start = time.monotonic()
    for number, scene in enumerate(scenes, 1):
        seed = int.from_bytes(hashlib.sha256(f"exposure/{scene.file}".encode()).digest()[:8], "big")
        for each in pictures(scene, decoded(photos / scene.file), jpeg_roundtrip, np.random.default_rng(seed)):
            yield row(network, each.frame, each.labels, each.known, f"{each.group}|{scene.file}")
        if number % 50 == 0:
            print(f"{number} of {len(scenes)} scenes, {time.monotonic() - start:.0f} s", flush=True)


def as_they_are(scenes: Sequence[Scene], photos: Path, network: LiteRtNetwork) -> Iterable[Entry]:
    """Yield the clean photographs of these scenes."""
    for scene in scenes:
        group = "hard as it is" if scene.hard else "as it is"
        yield row(network, decoded(photos / scene.file), (False, False), (True, True), f"{group}|{scene.file}")


def joined(first: Table, second: Table) -> Table:
    """Return the rows of both tables."""
    return Table(
        *(np.concatenate([getattr(part, name) for part in (first, second)]) for name in Table.__dataclass_fields__)
    )


def run_fit(shared: Path, cache: Path, network: LiteRtNetwork) -> None:
    """Fit the correction and write its parameters."""
    photos = shared / "photos"
    parts = split(read_index(photos), Splits())
    learnt = (*parts.train, *parts.calibration)
    chosen = [scene for number, scene in enumerate(learnt) if number % EVERY == 0 or scene.hard]
    made = cached(cache / "fit.npz", lambda: table_of(rendered(chosen, photos, network)))
    plain = cached(cache / "plain.npz", lambda: table_of(as_they_are(learnt, photos, network)))
    table = joined(made, plain)
    inputs = np.concatenate([table.measures, log_odds(table.network)], axis=1)
    weights = group_weights(list(table.groups), table.known)
    parameters = fit(Rows(inputs, strengths(table.measures), table.labels.astype(np.float64), weights))
    parameters["network"] = load_card(MODELS / "defects").digest
    PARAMS.write_text(json.dumps(parameters) + "\n", encoding="utf-8")
    data = {
        "pictures": len(table.files),
        "scenes": len(set(table.files)),
        "sources": dict(Counter(f"{scene.source} ({scene.licence})" for scene in learnt)),
    }
    save_card(PARAMS.parent, card_of(data))
    print(f"{len(table.files)} pictures of {len(set(table.files))} scenes -> {PARAMS}")


def card_of(data: Mapping[str, object]) -> Card:
    """Return the card of the parameters that were just fitted on this data."""
    return Card(
        name="exposure",
        version=1,
        digest=model_digest(PARAMS.parent, PARAMS.name),
        width=WIDTH,
        height=HEIGHT,
        labels=(Defect.UNDER, Defect.OVER),
        thresholds=(Threshold(TAG, None), Threshold(TAG, None)),
        data=data,
        origin={"network": "fitted here, from random weights", "licence": "no weights of others"},
        metrics={"table": "table.md, by `evaluate`"},
        calibration={
            "method": "the network's log-odds are moved where a white or black ground covers 2 % of the frame or more; "
            "the weights of the groups of pictures were chosen on half of the test scenes; not calibrated apart"
        },
        provenance={**provenance(), "network": load_card(MODELS / "defects").id},
        limits=LIMITS,
        file=PARAMS.name,
    )


def others(shared: Path, network: LiteRtNetwork) -> Iterable[Entry]:
    """Yield the photographs of others, and the clean photographs of the test scenes as they are."""
    sure, neither = (True, True), (False, False)
    photos = shared / "photos"
    for scene in split(read_index(photos), Splits()).test:
        kind = next((tag for tag in ("highkey", "night_lowkey") if tag in scene.tags), "ordinary")
        yield row(network, decoded(photos / scene.file), neither, sure, f"photos: {kind}|{scene.file}")
    for kind in ("highkey", "night_lowkey", "bokeh", "over", "under"):
        labels = (kind == "under", kind == "over")
        for file in sorted((shared / "more" / kind).glob("*.jp*g")):
            yield row(network, decoded(file), labels, sure, f"more: {kind}|{file.name}")
    with (shared / "real-exposure" / "index.csv").open(encoding="utf-8", newline="") as lines:
        for each in csv.DictReader(lines):
            labels, known = (each["label"] == "under", each["label"] == "over"), each["label"] in {"under", "over"}
            frame = decoded(shared / "real-exposure" / each["file"])
            yield row(network, frame, labels, (known, known), f"real-exposure: {each['label']}|{each['file']}")


def wilson(hits: int, count: int) -> str:
    """Return `hits of count (low to high %)`, the 95 % interval of Wilson (1927)."""
    if not count:
        return "-"
    z, share = 1.96, hits / count
    centre = (share + z * z / (2 * count)) / (1 + z * z / count)
    reach = z / (1 + z * z / count) * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    return f"{hits} of {count} ({100 * max(centre - reach, 0):.1f} to {100 * min(centre + reach, 1):.1f} %)"


def lines(table: Table, corrected: NDArray[np.float64], head: int) -> list[str]:
    """Return a line of the report for each group: defects found, or good ones tagged and past `reject`."""
    found = []
    for group in sorted(set(table.groups)):
        for wanted in (True, False):
            chosen = (table.groups == group) & table.known[:, head] & (table.labels[:, head] == wanted)
            if not chosen.any():
                continue
            before, after = table.network[chosen, head], corrected[chosen, head]
            cells = [
                f"{wilson(int((old >= bound).sum()), len(old))} | {wilson(int((new >= bound).sum()), len(new))}"
                for bound in (TAG, REJECT)
                for old, new in ((before, after),)
            ]
            found.append(f"| {group} | {'defect' if wanted else 'good'} | {' | '.join(cells)} |")
    return found


def run_evaluate(shared: Path, cache: Path, network: LiteRtNetwork) -> str:
    """Measure the correction and return the report."""
    photos = shared / "photos"
    scenes = [scene for scene in split(read_index(photos), Splits()).test if is_kept_out(scene.file)]
    made = cached(cache / "test.npz", lambda: table_of(rendered(scenes, photos, network)))
    real = cached(cache / "others.npz", lambda: table_of(others(shared, network)))
    correction = load_correction(PARAMS)
    text = ["# Over- and under-exposure before and after the correction by the subject", "", *_PREFACE]
    for title, table in (
        ("Rendered pictures of held-out scenes, the half of the report", made),
        (
            "Photographs, the half of the report",
            real.where(np.array([is_kept_out(file) for file in real.files], bool)),
        ),
        ("Photographs, all", real),
    ):
        corrected = correction.probabilities(table.measures, table.network)
        for head, name in ((OVER, "over"), (UNDER, "under")):
            text += [
                "",
                f"## {title}: `{name}`",
                "",
                _HEAD,
                "|---|---|---|---|---|---|",
                *lines(table, corrected, head),
            ]
    return "\n".join(text) + "\n"


LIMITS = (
    "It fits one defect network, the one whose digest params.json holds.",
    "It raises no probability above 0.95, so it rejects no photo by itself.",
    "A frame of which less than 2 % is a white or black ground keeps the network's probabilities.",
    "An under-exposed subject beside a white sky, or lamps in a dark room, may be called well exposed.",
    "Subjects before a ground of their own level (a white dress on snow) are not told from the ground.",
)
_HEAD = f"| group | truth | tagged at {TAG}: before | after | past {REJECT}: before | after |"
_PREFACE = (
    "Each cell: pictures, with the 95 % interval of Wilson. The network is `models/defects`, its correction",
    "`models/exposure`. No picture of these scenes was used to fit it, and choices were made on the other half; totals",
    "of all photographs were seen once before. Subjects: `cut` out of photographs with an even",
    "ground, `blob` random shapes; on white (paper, studio, sky, snow) and black (cloth, room, night) grounds.",
)


def main() -> None:
    """Run one of the two commands."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=("fit", "evaluate"))
    parser.add_argument("--shared", type=Path, default=SHARED, help="folder with photos, more and real-exposure")
    parser.add_argument("--cache", type=Path, required=True, help="folder for the measures of the rendered pictures")
    asked = parser.parse_args()
    if not (asked.shared / "photos" / "index.csv").is_file():
        raise SystemExit(f"skipped: there are no photographs in {asked.shared}; name their folder with --shared")
    network = open_litert(MODELS / "defects" / "model.tflite")
    if asked.command == "fit":
        run_fit(asked.shared, asked.cache, network)
        return
    report = run_evaluate(asked.shared, asked.cache, network)
    (PARAMS.parent / "table.md").write_text(report, encoding="utf-8")
    print(report)


if __name__ == "__main__":
    main()
