"""How near repaired exposures come to well exposed photos, and how often the defect's score falls below its `tag`.

`PYTHONPATH=tests .venv/bin/python -m bench.exposure_repair --shared DIR` prints Markdown tables with 95 % intervals,
bootstrap over photos. `--part calibration` measures on the scenes that choices are made on, `test` on those that are
measured once, `real` on scenes that were shot twice. The rivals are curves without a network; their constants were
chosen on the calibration scenes.
"""

from __future__ import annotations

import argparse
import csv
import io
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bench.explain.faithfulness import with_interval
from culld.enhance.exposure import open_tone_network, predict_curve, repair_exposure, thumbnail_of
from culld.imaging.decode import frame_of
from culld.imaging.encode import jpeg_roundtrip
from culld.imaging.image_file import DecodeLimits
from culld.imaging.quality import psnr, ssim_map
from culld.imaging.raw import develop_corrected, open_raw
from culld.imaging.tone_curve import ToneCurve, apply, luma, to_linear
from culld.inference.card import MODEL_FILE, load_card
from culld.inference.network import Network
from culld.records import Defect
from culld.stages.read.scoring import inputs_of, open_litert
from culld.training.dataset import Scene, number_of, read_index, split
from culld.training.experiment import Splits
from culld.training.tone.exposures import shot
from harness import raw_files, scenes

Pixels = NDArray[np.uint8]
Repair = Callable[[Pixels], Pixels]

MODELS = Path(__file__).parents[2] / "models"
TAGS = np.array([0.5, 0.6, 0.6])
"""The `tag` thresholds of blur, under and over."""
STOPS = (-4.0, -3.0, -2.0, 0.0, 1.5, 2.5, 3.5)
NONE, NETWORK, SHIPPED = "no repair", "tone network", "as shipped"
UNDER, OVER = 1, 2
STRUCTURE = 0.9


@dataclass(frozen=True)
class Case:
    """A photo, its group, the better exposure of the same scene, and its defect (`UNDER`, `OVER`, or 0 for none)."""

    group: str
    photo: Pixels
    reference: Pixels | None
    defect: int


@dataclass(frozen=True)
class Result:
    """PSNR and SSIM to the reference as they are and after the luma match, the structure kept, scores before, after."""

    figures: tuple[float, float, float, float]
    structure: float
    before: NDArray[np.float32]
    after: NDArray[np.float32]
    defect: int

    @property
    def is_tagged(self) -> bool:
        """Whether the defect's score was at its threshold or above."""
        return bool(self.before[self.defect] >= TAGS[self.defect])

    @property
    def is_cleared(self) -> bool:
        """Whether the score is below the threshold now, and no other one has risen to its own."""
        risen = (self.after >= TAGS) & (self.before < TAGS)
        return bool(self.after[self.defect] < TAGS[self.defect] and not risen.any())


def auto_gamma(pixels: Pixels) -> Pixels:
    """Raise the levels to the power that brings the mean luma to 0.48."""
    mean = float(np.clip(luma(pixels).mean() / 255, 0.004, 0.996))
    power = np.log(0.48) / np.log(mean)
    levels = np.rint(255 * (np.arange(256) / 255) ** power).astype(np.uint8)
    return levels[pixels]


def gain(pixels: Pixels, target: float = 0.14) -> Pixels:
    """Bring the logarithmic mean of linear light to `target` by a gain with a shoulder of 3, by 4 EV at most.

    0.14 is best for dark and bright photos together, 0.2 for dark ones alone.
    """
    light = to_linear(luma(pixels)[::4, ::4] / 255)
    stops = float(np.log2(target / np.exp(np.log(light + 0.002).mean())))
    return apply(pixels, ToneCurve(float(np.clip(stops, -4, 4)), 3.0))


def clahe(pixels: Pixels) -> Pixels:
    """Equalise the lightness of CIE Lab in 8 x 8 tiles with a clip limit of 2 (OpenCV)."""
    import cv2

    lab = cv2.cvtColor(pixels, cv2.COLOR_RGB2LAB)
    lab[..., 0] = cv2.createCLAHE(2.0, (8, 8)).apply(lab[..., 0])
    return np.asarray(cv2.cvtColor(lab, cv2.COLOR_LAB2RGB), np.uint8)


def matched(pixels: Pixels, reference: Pixels) -> Pixels:
    """Scale the sRGB levels by one factor so that the mean luma is that of the reference."""
    factor = max(float(luma(reference).mean()), 1.0) / max(float(luma(pixels).mean()), 1.0)
    return np.rint(np.clip(pixels * np.float32(factor), 0, 255)).astype(np.uint8)


def drawn_cases(folder: Path, found: Iterable[Scene]) -> Iterator[Case]:
    """Expose clean photos wrongly in linear light, with noise, as JPEG of quality 92; every second in hard light."""
    for number, scene in enumerate(found):
        photo = read(folder / scene.file)
        for stops in STOPS:
            rng = np.random.default_rng(number_of(1, f"repair {stops}", scene.file))
            wrong, right = shot(photo, stops, rng, is_hard=number % 2 == 1)
            reference = np.rint(255 * right).astype(np.uint8)
            defect = UNDER if stops < 0 else OVER if stops > 0 else 0
            yield Case(f"{stops:+.1f} EV", jpeg_roundtrip(wrong, 92), reference, defect)


def real_cases(folder: Path) -> Iterator[Case]:
    """Yield the photos with a hard label, the better exposed partner as reference; none for the better of two bad ones.

    A partner without a hard label is the better one; of two with one, that whose mean luma is nearer to 118.
    """
    with (folder / "index.csv").open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    for pair in zip(rows[::2], rows[1::2], strict=True):
        photos = [read(folder / row["file"]) for row in pair]
        labels = [row["label"] for row in pair]
        is_mild = [label.startswith("pair_") for label in labels]
        far = [abs(float(luma(photo).mean()) - 118) for photo in photos]
        best = is_mild.index(True) if any(is_mild) else int(np.argmin(far))
        for place, label in enumerate(labels):
            if is_mild[place]:
                continue
            reference = photos[best] if place != best else None
            partner = "good partner" if any(is_mild) else "bad partner"
            yield Case(f"{label}, {partner}", photos[place], reference, UNDER if label == "under" else OVER)


def read(path: Path) -> Pixels:
    """Return the pixels of a photo."""
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"), np.uint8)


def measured(case: Case, before: NDArray[np.float32], found: Pixels, scorer: Network) -> Result:
    """Compare one repaired photo with its reference, and score it."""
    figures = (np.nan,) * 4
    if case.reference is not None:
        equal = matched(found, case.reference)
        pairs = [(found, case.reference), (equal, case.reference)]
        figures = tuple(figure for pair in pairs for figure in (min(psnr(*pair), 60.0), float(ssim_map(*pair).mean())))
    structure = float(ssim_map(matched(found, case.photo), case.photo).mean())
    return Result(figures, structure, before, scored(scorer, found), case.defect)


def scored(scorer: Network, pixels: Pixels) -> NDArray[np.float32]:
    """Return the scores of blur, under and over, as the daemon scores a photo."""
    return scorer.run(inputs_of(frame_of(pixels)))["probabilities"][0]


def defect_of(scores: NDArray[np.float32]) -> Defect:
    """Return the likelier wrong exposure."""
    return Defect.OVER if scores[OVER] > scores[UNDER] else Defect.UNDER


def measure(
    cases: Iterable[Case], repairs: Mapping[str, Repair], scorer: Network
) -> dict[tuple[str, str], list[Result]]:
    """Return the results by group and repair."""
    results: dict[tuple[str, str], list[Result]] = defaultdict(list)
    for case in cases:
        before = scored(scorer, case.photo)
        for name, repair in repairs.items():
            results[case.group, name].append(measured(case, before, repair(case.photo), scorer))
    return results


def likeness_lines(results: Mapping[tuple[str, str], list[Result]]) -> Iterator[str]:
    """Yield how near each repair comes to the reference; the last column is that of what ships over each rival."""
    yield from (
        "",
        "| photos | repair | n | PSNR | SSIM | PSNR, matched | SSIM, matched | what ships above it, matched |",
    )
    yield "|" + "---|" * 8
    for (group, name), found in sorted(results.items()):
        rows = np.array([each.figures for each in found])
        known = ~np.isnan(rows[:, 0])
        if not known.any():
            continue
        own = np.array([each.figures for each in results[group, SHIPPED]])[known]
        ahead = "" if name == SHIPPED else f"{_interval(own[:, 2] - rows[known][:, 2], 2)} dB"
        cells = [_interval(rows[known][:, column], 2 if column % 2 == 0 else 3) for column in range(4)]
        yield f"| {group} | {name} | {known.sum()} | {' | '.join(cells)} | {ahead} |"


def cleared_lines(results: Mapping[tuple[str, str], list[Result]]) -> Iterator[str]:
    """Yield the share of the tagged photos whose score falls below `tag`, and the structure that is kept."""
    yield from (
        "",
        "| photos | repair | tagged | below tag, no other risen | of those structure >= 0.9 | median structure |",
    )
    yield "|" + "---|" * 6
    for (group, name), found in sorted(results.items()):
        tagged = [each for each in found if each.is_tagged]
        if not tagged or not found[0].defect:
            continue
        cleared = [each for each in tagged if each.is_cleared]
        kept = sum(each.structure >= STRUCTURE for each in cleared)
        share = _interval(np.array([each.is_cleared for each in tagged], float), 2)
        middle = f"{np.median([each.structure for each in tagged]):.3f}"
        yield f"| {group} | {name} | {len(tagged)} of {len(found)} | {share} | {kept} of {len(cleared)} | {middle} |"


def _interval(values: NDArray[np.float64], digits: int) -> str:
    mean, low, high = with_interval(values, lambda drawn: float(drawn.mean()))
    return f"{mean:.{digits}f} ({low:.{digits}f}..{high:.{digits}f})"


def pooled(results: Mapping[tuple[str, str], list[Result]]) -> dict[tuple[str, str], list[Result]]:
    """Return the results of all groups of one defect together."""
    found: dict[tuple[str, str], list[Result]] = defaultdict(list)
    for (_, name), each in results.items():
        if each[0].defect:
            found["under, all" if each[0].defect == UNDER else "over, all", name] += each
    return found


def raw_lines(folder: Path, network: Network, scorer: Network) -> Iterator[str]:
    """Yield what the data of a sensor give over lifted pixels, for drawn scenes, and the repair of real RAW files."""
    yield from (
        "",
        "| drawn RAW (12 bits) | PSNR from the sensor | from its 8-bit picture | sensor above |",
        "|---" * 4 + "|",
    )
    plain = ToneCurve(0.0)
    for stops in (2, 3, 4, 5):
        rows = []
        for seed in range(12):
            image = scenes.picture(scenes.Scene(seed, size=(480, 320)))
            wanted, dark = (developed(raw_files.dng(image, light=0.3 * 2.0**-less), plain) for less in (0, stops))
            curve = ToneCurve(float(stops), 3.0)
            lifted = developed(raw_files.dng(image, light=0.3 * 2.0**-stops), curve)
            rows.append((psnr(lifted, wanted), psnr(apply(dark, curve), wanted)))
        sensor, pixels = np.array(rows).T
        cells = [_interval(each, 2) for each in (sensor, pixels, sensor - pixels)]
        yield f"| {stops} EV too dark | {' | '.join(cells)} dB |"
    for file in sorted(path for path in folder.iterdir() if path.suffix not in {".md", ".csv"}):
        before = developed(file.read_bytes(), plain)
        curve = predict_curve(thumbnail_of(before), network)
        after = developed(file.read_bytes(), curve)
        told = [", ".join(f"{score:.2f}" for score in scored(scorer, pixels)) for pixels in (before, after)]
        yield ""
        yield (
            f"{file.name}: {curve.stops:+.2f} EV, mean luma {luma(before).mean():.0f} to {luma(after).mean():.0f}, "
            f"scores (blur, under, over) {told[0]} to {told[1]}"
        )


def developed(file: bytes, curve: ToneCurve) -> Pixels:
    """Return a RAW file developed from the data of its sensor under a curve."""
    with open_raw(io.BytesIO(file), DecodeLimits()) as raw:
        return develop_corrected(raw, curve)


@dataclass(frozen=True, slots=True)
class Repairs:
    """The results of the last part by group and repair, `under, all` and `over, all` among them; and the report."""

    results: dict[tuple[str, str], list[Result]]
    lines: list[str]


def compared(shared: Path, model: Path, defects: Path, parts: Sequence[str], count: int) -> Repairs:
    """Compare the network with its rivals on the `parts`, `calibration`, `test` or `real`."""
    network, scorer = open_tone_network(model / MODEL_FILE), open_litert(defects / MODEL_FILE)
    repairs: dict[str, Repair] = {
        NONE: lambda pixels: pixels,
        "gamma": auto_gamma,
        "CLAHE": clahe,
        "gain": gain,
        "gain for dark photos": lambda pixels: gain(pixels, 0.2),
        NETWORK: lambda pixels: apply(pixels, predict_curve(thumbnail_of(pixels), network)),
        SHIPPED: lambda pixels: repair_exposure(pixels, defect_of(scored(scorer, pixels)), network),
    }
    everything: dict[tuple[str, str], list[Result]] = {}
    lines = [f"# {load_card(model).id}", "", "Means over photos, with 95 % intervals by bootstrap over photos."]
    for part in parts:
        results = measure(cases_of(part, shared, count), repairs, scorer)
        everything = {**results, **pooled(results)}
        lines += ["", f"## {part}", *likeness_lines(everything), *cleared_lines(everything)]
    lines += ["", "## RAW", *raw_lines(shared / "more" / "raw", network, scorer)]
    return Repairs(everything, lines)


def cases_of(part: str, shared: Path, count: int) -> Iterator[Case]:
    """Yield the cases of a part: of drawn exposures those of `count` scenes."""
    if part == "real":
        yield from real_cases(shared / "real-exposure")
        return
    parts = split(read_index(shared / "photos"), Splits())
    known = parts.test if part == "test" else parts.calibration
    order = np.random.default_rng(5).permutation(len(known))[:count]
    yield from drawn_cases(shared / "photos", (known[place] for place in order))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", type=Path, required=True, metavar="DIR", help="holds photos and real-exposure")
    parser.add_argument("--model", type=Path, default=MODELS / "restore-exposure", metavar="DIR")
    parser.add_argument("--defects", type=Path, default=MODELS / "defects", metavar="DIR")
    parser.add_argument("--part", choices=("calibration", "test", "real"), action="append", help="default: test, real")
    parser.add_argument("--scenes", type=int, default=60, help="of calibration or test at most (default 60)")
    options = parser.parse_args()
    parts = options.part or ("test", "real")
    print(*compared(options.shared, options.model, options.defects, parts, options.scenes).lines, sep="\n")


if __name__ == "__main__":
    main()
