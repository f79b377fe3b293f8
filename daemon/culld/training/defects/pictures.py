"""The pictures of one scene that the third version of the network learns from.

Besides the samples of `dataset`: exposures far off and only a little off, lifted shadows, blur as hands, phones and
moving subjects make it, small files, and subjects on white and black grounds, where the label follows the subject.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from culld.training import blur_kernels, degradations, photometric
from culld.training.augment import Augmentation
from culld.training.dataset import make_sample, samples
from culld.training.distortions import Distortion, Kind, log_uniform
from culld.training.experiment import Experiment
from culld.training.exposure.composites import composites
from culld.training.exposure.mattes import blob, matte_of
from culld.training.photometric import to_pixels
from culld.training.render import render, sharpened, visible_labels

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from culld.training.dataset import Sample, Scene
    from culld.training.render import Jpeg

    Frame = NDArray[np.uint8]
    Plane = NDArray[np.float32]

STEP: Final = "step"
"""The group of exposures between no defect and a sure one; their labels are soft, between 0 and 1."""

_DRAWN: Final = 7  # of the defective samples of a scene that is no hard negative
_MILD, _SURE = 0.7, 1.5  # stops: a smaller shift is no defect, a larger one is one
_SMALLEST: Final = 200  # below so many pixels sharpness cannot be judged
_STOPS_OF: Final = {"well": 0.0, "over": 2.5, "under": -3.0}  # about what `composites` draws


@dataclass(frozen=True, slots=True)
class Picture:
    """A finished frame, uint8 RGB.

    `labels` are those of the network's outputs, `known` is False where a label cannot be relied on; `stops` is how much
    brighter it was exposed than the scene asks for.
    """

    frame: Frame
    group: str
    labels: tuple[float, float, float]
    known: tuple[bool, bool, bool]
    stops: float = 0.0


def rendered(frame: Frame, sample: Sample, jpeg: Jpeg) -> Picture:
    """Return the picture of a sample of the scene whose clean frame is `frame`."""
    pixels = render(frame, sample, jpeg)
    blur, under, over = (bool(known) for known in visible_labels(pixels, sample))
    stops = sum(step.level for step in sample.steps if step.kind is Kind.EXPOSURE)
    return Picture(pixels, sample.group, sample.labels, (blur, under, over), stops)


@dataclass(frozen=True, slots=True)
class PictureMaker:
    """Makes the pictures of one scene; `jpeg` saves pixels with a quality and reads them again."""

    scene: Scene
    frame: Frame
    jpeg: Jpeg
    rng: np.random.Generator
    linear: Plane = field(init=False)

    def __post_init__(self) -> None:
        """Compute the scene's linear light."""
        light = photometric.to_linear(self.frame.astype(np.float32) / np.float32(255))
        object.__setattr__(self, "linear", light)

    def pictures(self) -> Iterator[Picture]:
        """Yield all pictures; equal generators give equal pictures."""
        matte = matte_of(self.frame)
        yield from self._sampled()
        yield from self._exposures()
        yield from self._blurs()
        yield from self._small_files()
        yield from self._with_subject("blob" if matte is None else "cut", matte)

    def _sampled(self) -> Iterator[Picture]:
        drawn = samples(self.scene, int(self.rng.integers(1000)), Experiment())
        if not self.scene.hard:
            clean, mild = ([each for each in drawn if each.group == group] for group in ("clean", "mild"))
            others = [each for each in drawn if each.group not in {"clean", "mild"}]
            drawn = [*clean[:2], *mild[:1], *(others[index] for index in self.rng.permutation(len(others))[:_DRAWN])]
        for each in drawn:
            yield rendered(self.frame, each, self.jpeg)

    def _exposures(self) -> Iterator[Picture]:
        yield self._exposed("black frame", self.rng.uniform(-10, -5), (0, 1, 0))
        if self.rng.random() < 0.5 and not self._is_night:
            white = self._exposed("white frame", self.rng.uniform(4, 7), (0, 0, 1))
            if (white.frame.min(axis=-1) > 250).mean() > 0.3:
                yield white
        stops = float(self.rng.uniform(_MILD, _SURE)) * (-1 if self.rng.random() < 0.6 else 1)
        if not (self._is_night and stops < 0) and not (self._is_white and stops > 0):
            share = 0.1 + 0.5 * (abs(stops) - _MILD) / (_SURE - _MILD)
            yield self._exposed(STEP, stops, (0, share, 0) if stops < 0 else (0, 0, share))
        if self.rng.random() < 0.5:
            shot = degradations.lifted(self._mirrored(), self.rng.uniform(1.5, 3.5), self._noise)
            yield self._finished("lifted", shot, 0.0)

    def _blurs(self) -> Iterator[Picture]:
        ways: tuple[Callable[[], Picture], ...] = (self._rolling, self._averaged, self._phone)
        for index in self.rng.permutation(len(ways))[: int(self.rng.integers(1, 3))]:
            yield ways[index]()

    def _rolling(self) -> Picture:
        return self._finished("rolling blur", self._noise(degradations.rolling_shake(self._mirrored(), self.rng)), 1.0)

    def _averaged(self) -> Picture:
        return self._finished("averaged blur", self._noise(degradations.averaged(self._mirrored(), self.rng)), 1.0)

    def _phone(self) -> Picture:
        """Blur, noise, sharpening and strong compression."""
        light = self._noise(self._noise(blur_kernels.convolve(self._mirrored(), self._kernel())))
        srgb = sharpened(photometric.to_srgb(light), float(self.rng.uniform(0.5, 1.5)))
        pixels = self.jpeg(to_pixels(srgb), int(self.rng.integers(30, 75)))
        return Picture(pixels, "phone blur", (1, 0, 0), self._known)

    def _small_files(self) -> Iterator[Picture]:
        longest = int(log_uniform(self.rng, 160, 560))
        yield Picture(self._small(self.frame, longest), "small", (0, 0, 0), (longest > _SMALLEST, True, True))
        if self.rng.random() < 0.5:
            blurred = to_pixels(photometric.to_srgb(blur_kernels.convolve(self.linear, self._kernel(1.4))))
            yield Picture(self._small(blurred, longest), "small blur", (1, 0, 0), (True, True, True))
        if self.rng.random() < 0.3:
            stops = float(self.rng.uniform(-4, -1.5))
            dark = self._small(
                to_pixels(photometric.to_srgb(photometric.expose(self.linear, stops, self.rng))), longest
            )
            yield Picture(dark, "small under", (0, 1, 0), (False, bool(dark.mean() <= 0.33 * 255), True), stops)

    def _with_subject(self, name: str, found: Plane | None) -> Iterator[Picture]:
        """Yield the pictures in which the subject and its ground differ.

        Only a subject that was cut out is blurred alone: before another ground it cannot be seen which part is meant.
        """
        matte = blob(self.frame.shape[:2], self.rng) if found is None else found
        if found is not None:
            kernel = blur_kernels.motion(log_uniform(self.rng, 14, 45), int(self.rng.integers(0, 181)))
            moved = degradations.moved_subject(self.linear, matte, kernel)
            yield self._finished(f"{name} moved", self._noise(moved), 0.8)
        if self.rng.random() < 0.5:
            kernel = blur_kernels.disk(log_uniform(self.rng, 3, 14))
            yield self._finished(
                f"{name} bokeh", self._noise(degradations.blurred_ground(self.linear, matte, kernel)), 0.0
            )
        if self._is_night:  # the subject of a dark scene is not known to be well exposed
            return
        made = list(composites(self.frame, matte, self.rng))
        for each in (made[index] for index in self.rng.permutation(len(made))[:3]):
            pixels = self.jpeg(each.frame, int(self.rng.integers(70, 97)))
            labels = (0.0, float(bool(each.under)), float(bool(each.over)))
            known = (False, each.under is not None, each.over is not None)
            yield Picture(pixels, f"{name} {each.group}", labels, known, _STOPS_OF[each.group.split()[0]])

    @property
    def _is_night(self) -> bool:
        return "night_lowkey" in self.scene.tags

    @property
    def _is_white(self) -> bool:
        return "highkey" in self.scene.tags

    @property
    def _known(self) -> tuple[bool, bool, bool]:
        return True, not self._is_night, not self._is_white

    def _exposed(self, group: str, stops: float, labels: tuple[float, float, float]) -> Picture:
        step = Distortion(Kind.EXPOSURE, float(stops))
        sample = make_sample(self.scene, group, (step,), Augmentation.random_toned(self.rng), self.rng)
        return Picture(render(self.frame, sample, self.jpeg), group, labels, (group == STEP, True, True), float(stops))

    def _finished(self, group: str, linear: Plane, blur: float) -> Picture:
        srgb = photometric.to_srgb(linear)
        if self.rng.random() < 0.5:
            srgb = sharpened(srgb, float(self.rng.uniform(0.1, 1.0)))
        return Picture(self.jpeg(to_pixels(srgb), int(self.rng.integers(45, 97))), group, (blur, 0.0, 0.0), self._known)

    def _small(self, frame: Frame, longest: int) -> Frame:
        quality, shape = int(self.rng.integers(40, 93)), float(self.rng.choice([0.67, 0.75, 1.0]))
        return degradations.small_file(frame, longest, shape, lambda pixels: self.jpeg(pixels, quality))

    def _mirrored(self) -> Plane:
        return self.linear[:, ::-1] if self.rng.random() < 0.5 else self.linear

    def _noise(self, linear: Plane) -> Plane:
        return photometric.expose(linear, 0.0, self.rng)

    def _kernel(self, least: float = 1.0) -> NDArray[np.float64]:
        """Draw a kernel of visible blur; `least` multiplies the smallest lengths."""
        rng, way = self.rng, int(self.rng.integers(4))
        if way == 0:
            return blur_kernels.disk(log_uniform(rng, 2.0 * least, 9))
        if way == 1:
            return blur_kernels.gaussian(log_uniform(rng, 1.4 * least, 5))
        if way == 2:
            return blur_kernels.motion(log_uniform(rng, 6 * least, 40), int(rng.integers(0, 181)))
        return blur_kernels.shake(log_uniform(rng, 10 * least, 50), rng)
