"""The segmentation of defects on scenes that its network never saw, beside rules and rivals; prints Markdown.

`PYTHONPATH=tests .venv/bin/python -m bench.segment --shared DIR [--model DIR] [--scenes N]`. The scenes are those of
the test split of `photos`. Thresholds come from the calibration split: those of the network are in its card, those of
the rivals are chosen here.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.report import table
from bench.segment_by_hand import hand_lines, rated_lines
from bench.segment_rivals import RIVALS
from culld.cli.model_segmentation import COMPOSITES, NETWORK, RULE, SHIPPED, by_rules, counted
from culld.inference.card import read_card
from culld.records.regions import REGION_CLASSES, REGION_DEFECTS, RegionClass
from culld.segment.maps import enlarged, half_maps
from culld.segment.masks import BLURRED, RULES, Segmenter, blur_of
from culld.training.dataset import Scene, read_index, split
from culld.training.restoration.known_pairs import read_photo
from culld.training.segmentation import measure
from culld.training.segmentation.experiment import SegmentationExperiment, load_segmentation
from culld.training.segmentation.measure import ANY, BLUR, Counted, Kind

Pixels = NDArray[np.uint8]
Maps = dict[str, NDArray[np.float32]]
MODEL = Path(__file__).parents[2] / "models" / "segment"
FEWEST = 15
"""Scenes of a source that has a line of its own."""
FRAME = (683, 1024)
TURNS = 9


class Seen:
    """The maps of the network, computed once for each picture: for the network alone, and for what is shipped."""

    def __init__(self, folder: Path) -> None:
        """Open a model folder."""
        self.segmenter = Segmenter.open(folder, threads=2)
        self._last: tuple[Pixels | None, NDArray[np.float32] | None] = (None, None)

    def network(self, pixels: Pixels) -> Maps:
        """The maps by class, and of blur of either kind."""
        maps = enlarged(self._maps(pixels), pixels.shape[:2])
        found = {str(kind): maps[..., at] for at, kind in enumerate(REGION_CLASSES)}
        return {**found, BLUR: blur_of(maps)}

    def shipped(self, pixels: Pixels) -> Maps:
        """The masks of `culld segment`, of any defect, and of blur of either kind."""
        masks = self.segmenter.masks_of(self._maps(pixels), pixels).masks
        found = {str(kind): mask.astype(np.float32) for kind, mask in masks.items()}
        found[ANY] = np.maximum.reduce([found[kind] for kind in REGION_DEFECTS])
        return {**found, BLUR: np.maximum(found["defocus"], found["motion"])}

    def _maps(self, pixels: Pixels) -> NDArray[np.float32]:
        if self._last[0] is not pixels or self._last[1] is None:
            self._last = (pixels, half_maps(pixels, self.segmenter.network))
        assert self._last[1] is not None
        return self._last[1]


def class_lines(found: Counted, seen: Seen) -> list[str]:
    """Dice and IoU of each class on composites: network, rule, and what is shipped."""
    rows = []
    for kind in REGION_CLASSES:
        limit = seen.segmenter.thresholds[kind]
        network = measure.dice(found[SHIPPED if kind in BLURRED else NETWORK, Kind.COMPOSITE, kind], limit)
        rule = str(measure.dice(found[RULE, Kind.COMPOSITE, kind], 0.5)) if kind in RULES else "none"
        shipped = found[SHIPPED, Kind.COMPOSITE, kind]
        from_ = "blur from" if kind in BLURRED else "network from"
        used = "rule" if kind in seen.segmenter.by_rule else f"{from_} {limit:.2f}"
        area = shipped.total[:, 0].sum() / shipped.total.sum()
        rows.append(
            (
                str(kind),
                f"{area:.1%}",
                str(network),
                rule,
                used,
                str(measure.dice(shipped, 0.5)),
                str(measure.iou(shipped, 0.5)),
            )
        )
    return table(
        ("class", "true area", "Dice of the network", "Dice of the rule", "used", "Dice as shipped", "IoU as shipped"),
        rows,
    )


def blur_lines(found: Counted, limits: dict[str, float]) -> list[str]:
    """Blur of both kinds as one class, beside measures made by hand."""
    names = {"network": (NETWORK, limits[NETWORK]), "as shipped": (SHIPPED, 0.5)}
    names |= {name: (name, limits[name]) for name in RIVALS}
    rows = []
    for shown, (name, limit) in names.items():
        each = found[name, Kind.COMPOSITE, BLUR]
        false = measure.false_area(found[name, Kind.PLAIN, BLUR], limit)
        rows.append((shown, f"{limit:.2f}", str(measure.dice(each, limit)), str(measure.iou(each, limit)), str(false)))
    return table(("segmenter", "threshold", "Dice", "IoU", "of plain patches called blurred"), rows)


def false_lines(found: Counted) -> list[str]:
    """The area that is wrongly called defective on patches without a defect."""
    rows = []
    for kind in (Kind.PLAIN, Kind.PASTED):
        each = [str(measure.false_area(found[SHIPPED, kind, label], 0.5)) for label in (ANY, *REGION_DEFECTS)]
        rows.append((str(kind), *each))
    return table(("patches", "any defect", *map(str, REGION_DEFECTS)), rows)


def photo_lines(seen: Seen, photos: Path, scenes: Sequence[Scene]) -> list[str]:
    """The area called defective on whole photographs as they are, by kind of scene."""
    shares = []
    for scene in scenes:
        masks = seen.segmenter.segment(read_photo(photos / scene.file)).masks
        spoilt = np.logical_or.reduce([masks[kind] for kind in REGION_DEFECTS])
        shares.append({ANY: float(spoilt.mean()), **{str(kind): float(masks[kind].mean()) for kind in REGION_DEFECTS}})
    groups = {
        "all": lambda scene: True,
        "without a tag": lambda scene: not scene.hard,
        **{tag: lambda scene, tag=tag: tag in scene.tags for tag in ("bokeh", "night_lowkey", "highkey")},
    }
    rows = []
    for name, belongs in groups.items():
        mine = [share for scene, share in zip(scenes, shares, strict=True) if belongs(scene)]
        if mine:
            each = [
                str(measure.mean_interval([share[key] for share in mine])) for key in (ANY, *map(str, REGION_DEFECTS))
            ]
            rows.append((name, str(len(mine)), *each))
    return table(("photographs", "number", "any defect", *map(str, REGION_DEFECTS)), rows)


def source_lines(found: Counted, scenes: Sequence[Scene]) -> list[str]:
    """The mean Dice by the source of the photographs."""
    folders = [scene.file.split("/")[0] for scene in scenes]
    large = [name for name, number in Counter(folders).most_common() if number >= FEWEST]
    rows = []
    for name in (*large, "all others"):
        mine = [at for at, folder in enumerate(folders) if (folder if folder in large else "all others") == name]
        if mine:
            rows.append((name, str(len(mine)), str(mean_dice(found, mine))))
    return table(("source", "scenes", "mean Dice"), rows)


def mean_dice(found: Counted, scenes: Sequence[int] | None = None) -> measure.Interval:
    """The mean of the Dice of the classes but `fine`, as shipped, on composites."""
    given = [found[SHIPPED, Kind.COMPOSITE, kind] for kind in REGION_CLASSES[1:]]
    chosen = given if scenes is None else [measure.of_scenes(each, scenes) for each in given]
    return measure.mean_dice([(each, 0.5) for each in chosen])


def seconds(folder: Path) -> float:
    """The median processor time of a frame of 1024x683 in one thread, in seconds: network, rules and masks."""
    segmenter = Segmenter.open(folder, threads=1)
    frame = np.random.default_rng(0).integers(0, 256, (*FRAME, 3), np.uint8)
    taken = []
    for _ in range(TURNS):
        start = time.process_time()
        segmenter.segment(frame)
        taken.append(time.process_time() - start)
    return float(np.median(taken))


def bar_lines(found: Counted, plain: list[str], taken: float) -> list[str]:
    """What was wanted, and what was reached."""

    def dice(*kinds: RegionClass) -> str:
        return ", ".join(f"{kind} {measure.dice(found[SHIPPED, Kind.COMPOSITE, kind], 0.5)}" for kind in kinds)

    on_patches = measure.false_area(found[SHIPPED, Kind.PLAIN, ANY], 0.5)
    rows = [
        ("mean Dice of the seven classes", "0.80", str(mean_dice(found))),
        ("IoU of defocus", "0.75", str(measure.iou(found[SHIPPED, Kind.COMPOSITE, RegionClass.DEFOCUS], 0.5))),
        ("Dice of exposure", "0.9", dice(RegionClass.SHADOW, RegionClass.HIGHLIGHT)),
        ("Dice of noise and blocks", "0.7", dice(RegionClass.NOISE, RegionClass.BLOCKS)),
        ("area called defective on whole photographs as they are", "0.03", plain[2].split(" | ")[2]),
        ("the same on plain patches, where it is known to be wrong", "0.03", str(on_patches)),
        ("processor seconds a frame of 1024x683, one thread", "0.15", f"{taken:.2f}"),
    ]
    return table(("what", "wanted", "reached"), rows)


def rival_limits(
    shared: Path, scenes: Sequence[Scene], experiment: SegmentationExperiment, seen: Seen
) -> dict[str, float]:
    """The threshold of blur for each rival and for the network, on every second scene of the calibration."""
    given = {name: lambda pixels, way=way: {BLUR: way(pixels)} for name, way in RIVALS.items()}
    given[NETWORK] = seen.network
    found = counted(given, shared / "photos", scenes[::2], experiment, _shown("thresholds"), COMPOSITES)
    return {name: measure.best_threshold(found[name, Kind.COMPOSITE, BLUR]) for name in given}


def _shown(phase: str) -> Callable[[int, int], None]:
    def show(done: int, total: int) -> None:
        if done % 100 == 0 or done == total:
            print(f"{phase}: {done} of {total}", file=sys.stderr, flush=True)

    return show


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", type=Path, required=True)
    parser.add_argument("--model", type=Path, default=MODEL)
    parser.add_argument("--scenes", type=int, default=10_000, help="at most so many scenes of the test")
    args = parser.parse_args()
    experiment = load_segmentation(args.model / "train.yaml")
    parts = split(read_index(args.shared / "photos"), experiment.splits)
    scenes = parts.test[:: max(1, len(parts.test) // args.scenes)][: args.scenes]
    tuned = parts.calibration[:: max(1, len(parts.calibration) // args.scenes)][: args.scenes]
    seen = Seen(args.model)
    limits = rival_limits(args.shared, tuned, experiment, seen)
    given = {NETWORK: seen.network, RULE: by_rules, SHIPPED: seen.shipped}
    given |= {name: lambda pixels, way=way: {BLUR: way(pixels)} for name, way in RIVALS.items()}
    found = counted(given, args.shared / "photos", scenes, experiment, _shown("test"))
    plain = photo_lines(seen, args.shared / "photos", scenes)
    lines = [
        "# Segmentation of defects, measured",
        "",
        f"`make segment-bench SHARED=DIR` with {read_card(args.model).id}, on {len(scenes)} scenes of the test",
        "split: two composites with one to three defects, one with a pasted region that has none, and one plain patch",
        "of each. Pixels are counted over the whole set, those whose class cannot be known left out. In brackets: 95 %",
        "intervals by bootstrap over scenes. Thresholds and the choice between network and rule were made on scenes of",
        "the calibration split.",
        "",
        "## The bars",
        "",
        *bar_lines(found, plain, seconds(args.model)),
        "",
        "## Each class on composites",
        "",
        *class_lines(found, seen),
        "",
        "## Blur beside measures made by hand",
        "",
        "Defocus and motion as one class, for the rivals cannot tell them apart.",
        "",
        *blur_lines(found, limits),
        "",
        "## Patches without a defect: share of the area that is called defective",
        "",
        *false_lines(found),
        "",
        "## Whole photographs as they are: share of the area that is called defective",
        "",
        "A background that was left out of focus, a black ground and a burnt lamp count here, though they are found",
        "rightly.",
        "",
        *plain,
        "",
        "## By source",
        "",
        *source_lines(found, scenes),
        "",
        "## Real blur: regions drawn by hand",
        "",
        "Regions of photographs with a shallow depth of field, drawn by eye before any network was run on them.",
        *hand_lines(seen.segmenter, args.shared / "more", limits),
        "",
        "## Real blur: whole photographs that people rated",
        "",
        *rated_lines(seen.segmenter, args.shared / "more"),
    ]
    print("\n".join(lines))


if __name__ == "__main__":
    main()
