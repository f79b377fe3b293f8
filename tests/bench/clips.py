"""Clips by the camera model of scenes that nothing was tuned on, and how they are judged; prints Markdown.

`PYTHONPATH=tests .venv/bin/python -m bench.clips --shared DIR [--scenes N] [--side calibration]`. The scenes are
photographs of a split of `photos`; the defect network was trained on other scenes.
"""

from __future__ import annotations

import argparse
import io
import json
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from bench.report import table
from culld.app.review.intervals import wilson
from culld.imaging.decode import frame_of
from culld.imaging.image_file import DecodeLimits
from culld.records.clips import ClipJudgement, ClipVerdict
from culld.segment.clips.judged_clip import judged_clip
from culld.stages.read.scoring import open_litert, score
from culld.training.dataset import Scene, number_of, read_index, split
from culld.training.experiment import Splits
from culld.training.restoration.known_pairs import read_photo
from harness.camera_clips import Shot, encode, frames

MODEL = Path(__file__).parents[2] / "models" / "defects" / "model.tflite"
KINDS = ("clean", "shaken", "defocused", "dark", "clipped", "covered")
DEFECT = {"shaken": "shake", "defocused": "blur", "dark": "under", "clipped": "over", "covered": "black"}
UNKNOWN = {"night_lowkey": "clipped", "highkey": "dark"}
"""Defects that cannot be seen on such a scene, as in the training of the network."""
SEEN_AS = {"shaken": ("shake", "blur"), "covered": ("black", "under")}

HEAD = """# Clips of a camera model, judged

Written by `make clips-bench`: {clips} clips of 1.5 s of {scenes} photographs of the {side} split, filmed by a
camera model (pan, tremor, defocus, exposure, noise, x264). A clip is right if a clean one is kept, and if another
one has its defect for half of its time at least. Wilson's intervals.
"""


def shot_of(kind: str, name: str) -> Shot:
    """The shot of one kind of a scene: how strong the defect is follows from the name of the scene."""
    rng = np.random.default_rng(number_of(1, kind, name))
    shot = Shot(
        seconds=1.5, pan=rng.uniform(0, 0.08), shake=rng.uniform(0.0003, 0.002), seed=int(rng.integers(1 << 30))
    )
    changes = {
        "clean": {},
        "shaken": {"shake": rng.uniform(0.01, 0.03)},
        "defocused": {"defocus": rng.uniform(0.006, 0.02)},
        "dark": {"stops": rng.uniform(-6, -3.5)},
        "clipped": {"stops": rng.uniform(2.5, 4)},
        "covered": {"stops": -20},
    }
    return replace(shot, **changes[kind])


def judged(data: bytes) -> ClipJudgement:
    """The judgement of the bytes of a clip."""
    network = open_litert(MODEL)
    return judged_clip(io.BytesIO(data), lambda pixels: score(network, frame_of(pixels)), DecodeLimits())


def is_right(kind: str, found: ClipJudgement) -> bool:
    """Whether a clean clip is kept, and another one has its defect in half of its time at least, and is not kept."""
    if kind == "clean":
        return found.verdict is ClipVerdict.KEEP
    return max(found.shares[name] for name in SEEN_AS.get(kind, (DEFECT[kind],))) >= 0.5


def main() -> None:
    """Print the table; one line of JSON for each clip goes to the log."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", type=Path, required=True)
    parser.add_argument("--scenes", type=int, default=30)
    parser.add_argument("--side", choices=("calibration", "test"), default="test")
    parser.add_argument("--log", type=Path)
    args = parser.parse_args()
    parts = split(read_index(args.shared / "photos"), Splits())
    scenes = sorted(getattr(parts, args.side), key=lambda scene: number_of(1, "clips", scene.file))[: args.scenes]
    right: dict[str, list[bool]] = {kind: [] for kind in KINDS}
    lines = []
    for scene in scenes:
        for kind in KINDS:
            if kind in {UNKNOWN.get(tag) for tag in scene.tags}:
                continue
            lines.append(measured(args.shared / "photos", scene, kind))
            right[kind].append(bool(lines[-1]["right"]))
            if args.log:
                args.log.write_text("\n".join(map(json.dumps, lines)))
    print(HEAD.format(scenes=len(scenes), clips=len(lines), side=args.side))
    head = ("clips", "judged right", "95 %")
    print("\n".join(table(head, [row(kind, right[kind]) for kind in KINDS])))
    print("\n## By source\n")
    print("\n".join(table(("source", *head[1:]), list(by_source(lines)))))
    seconds = sum(float(str(line["took"])) for line in lines)
    print(f"\n{sum(int(str(line['samples'])) for line in lines) / seconds:.1f} samples a second", file=sys.stderr)


def by_source(lines: list[dict[str, object]]) -> Iterator[tuple[str, str, str]]:
    """Yield one line of the table for each source of photographs, all kinds of clips together."""
    found: dict[str, list[bool]] = {}
    for line in lines:
        found.setdefault(str(line["scene"]).partition("/")[0], []).append(bool(line["right"]))
    yield from (row(source, found[source]) for source in sorted(found))


def measured(photos: Path, scene: Scene, kind: str) -> dict[str, object]:
    """What was found in one clip."""
    data = encode(frames(read_photo(photos / scene.file), shot_of(kind, scene.file)))
    start = time.monotonic()
    found = judged(data)
    return {
        "scene": scene.file,
        "tags": sorted(scene.tags),
        "kind": kind,
        "right": is_right(kind, found),
        "verdict": found.verdict,
        "sentence": found.sentence,
        "shake": [round(1000 * sample.shake, 2) for sample in found.samples if sample.shake is not None],
        "blur": [round(sample.blur, 2) for sample in found.samples],
        "samples": len(found.samples),
        "took": time.monotonic() - start,
    }


def row(kind: str, right: list[bool]) -> tuple[str, str, str]:
    """One line of the table."""
    low, high = wilson(sum(right), len(right))
    return kind, f"{sum(right)} of {len(right)}", f"{low:.2f} to {high:.2f}"


if __name__ == "__main__":
    main()
