"""Blur on real photographs: how much of regions drawn by hand the segmentation calls blurred."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import yaml
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageOps

from bench.report import table
from bench.segment_rivals import RIVALS
from culld.records.regions import RegionClass
from culld.segment.masks import LONGEST, Segmenter
from culld.segment.rules import flat

Pixels = NDArray[np.uint8]
Mask = NDArray[np.bool_]
DRAWN: Final = Path(__file__).with_name("regions_by_hand.yaml")
TENTHS: Final = 10
SHARP, SOFT, SHIPPED = "sharp", "soft", "as shipped"
_DRAWS: Final = 1000


@dataclass(frozen=True, slots=True)
class Blur:
    """The shares of a photo's drawn regions of one name that are called out of focus, moved, or one of both."""

    defocus: float
    motion: float
    either: float


def hand_lines(segmenter: Segmenter, folder: Path, limits: dict[str, float]) -> list[str]:
    """The table: `folder` holds the photographs, `limits` the thresholds of the rivals. Flat places are left out."""
    found: dict[tuple[str, str], list[Blur]] = {}
    for pixels, regions in drawn(folder):
        textured = ~flat(pixels)
        for name, masks in _segmented(segmenter, pixels, limits).items():
            for kind, region in regions.items():
                if (region & textured).any():
                    found.setdefault((name, kind), []).append(_blur(*masks, region & textured))
    rows = []
    for name in dict.fromkeys(name for name, _ in found):
        soft, sharp = found[name, SOFT], found[name, SHARP]
        called = [_mean(soft, share) for share in ("either", "defocus", "motion")]
        rows.append((name, *called, _mean(sharp, "either")))
    counts = len(found[SHIPPED, SOFT]), len(found[SHIPPED, SHARP])
    return [
        f"{counts[0]} photographs with a region out of focus that has texture, {counts[1]} with a sharp one; means",
        "over photographs.",
        "",
        *table(("segmenter", "soft called blurred", "called defocus", "called motion", "sharp called blurred"), rows),
    ]


def rated_lines(segmenter: Segmenter, folder: Path) -> list[str]:
    """The share of whole photographs that is called blurred, by what about 30 raters said of each."""
    rows = []
    for kind in ("blur", "ambiguous", "sharp"):
        masks = [segmenter.segment(_frame(file)).masks for file in sorted((folder / kind).iterdir())]
        blurs = [_blur(each[RegionClass.DEFOCUS], each[RegionClass.MOTION], np.True_) for each in masks]
        rows.append((kind, str(len(blurs)), *(_mean(blurs, share) for share in ("either", "defocus", "motion"))))
    return table(("rated", "photographs", "called blurred", "called defocus", "called motion"), rows)


def drawn(folder: Path) -> Iterator[tuple[Pixels, dict[str, Mask]]]:
    """Yield each photo as a frame, and its drawn regions by name."""
    for name, regions in yaml.safe_load(DRAWN.read_text("utf-8")).items():
        pixels = _frame(folder / "bokeh" / name)
        size = pixels.shape[1], pixels.shape[0]
        yield pixels, {kind: _filled(size, regions[kind]) for kind in (SHARP, SOFT)}


def _frame(file: Path) -> Pixels:
    with Image.open(file) as photo:
        upright = ImageOps.exif_transpose(photo).convert("RGB")
    upright.thumbnail((LONGEST, LONGEST), Image.Resampling.LANCZOS)
    return np.asarray(upright)


def _filled(size: tuple[int, int], polygons: list[list[list[float]]]) -> Mask:
    shown = Image.new("1", size)
    for polygon in polygons:
        corners = [(x * size[0] / TENTHS, y * size[1] / TENTHS) for x, y in polygon]
        ImageDraw.Draw(shown).polygon(corners, fill=1)
    return np.asarray(shown)


def _segmented(segmenter: Segmenter, pixels: Pixels, limits: dict[str, float]) -> dict[str, tuple[Mask, Mask]]:
    """The masks of defocus and of motion by segmenter; the rivals do not tell motion."""
    masks, nothing = segmenter.segment(pixels).masks, np.zeros(pixels.shape[:2], np.bool_)
    found = {SHIPPED: (masks[RegionClass.DEFOCUS], masks[RegionClass.MOTION])}
    for name, way in RIVALS.items():
        found[name] = way(pixels) >= limits[name], nothing
    return found


def _blur(defocus: Mask, motion: Mask, known: Mask | np.bool_) -> Blur:
    one, other = defocus[known], motion[known]
    return Blur(float(one.mean()), float(other.mean()), float((one | other).mean()))


def _mean(blurs: list[Blur], share: str) -> str:
    """The mean over photographs, with its 95 % interval by bootstrap."""
    values = np.array([getattr(each, share) for each in blurs])
    means = np.random.default_rng(0).choice(values, (_DRAWS, len(values))).mean(axis=1)
    low, high = np.quantile(means, (0.025, 0.975))
    return f"{values.mean():.2f} ({low:.2f} to {high:.2f})"
