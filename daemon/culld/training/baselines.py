"""Who is measured: culld's models, and the plain rules that people use in their place.

A contender looks at one frame and gives three numbers, higher for more defective, in the order of the network's
outputs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from culld.training import photometric
from culld.training.metrics import best_threshold

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from culld.records import Threshold

    Frame = NDArray[np.uint8]
    Run = Callable[[Frame], NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class Classifier:
    """Somebody who says whether a frame is defective.

    `open` gives a way to look for one thread; `tag` are the numbers from which on it calls a defect, `reject` those
    from which on it would move the photo (None: never). `chances`: its numbers claim to be probabilities.
    """

    name: str
    open: Callable[[], Run]
    tag: tuple[float, float, float] = (0.5, 0.5, 0.5)
    reject: tuple[float | None, float | None, float | None] = (None, None, None)
    chances: bool = False


def model(name: str, run: Callable[[], Run], thresholds: Sequence[Threshold], *, chances: bool = False) -> Classifier:
    """A model of culld's as a contender, with the thresholds of blur, under and over."""
    blur, under, over = thresholds
    tags, rejects = (blur.tag, under.tag, over.tag), (blur.reject, under.reject, over.reject)
    return Classifier(name, run, tags, rejects, chances)


@dataclass(frozen=True, slots=True)
class LaplacianBaseline:
    """Blurred up to this variance of the Laplacian, dark up to and bright from these mean brightnesses (0..1).

    The defaults: 100 is the number that tutorials repeat for the Laplacian, a quarter is what comes to mind for
    brightness.
    """

    sharpness: float = 100.0
    dark: float = 0.25
    bright: float = 0.75

    def __str__(self) -> str:
        """In words."""
        return f"Laplacian up to {self.sharpness:.0f}, brightness up to {self.dark:.2f} or from {self.bright:.2f}"

    def look(self, frame: Frame) -> NDArray[np.float32]:
        """Three numbers in 0..1 for a frame, each at least a half exactly where its rule calls a defect."""
        sharpness, brightness = measures(frame)
        blur = 1.0 if not self.sharpness + sharpness else self.sharpness / (self.sharpness + sharpness)
        under, over = (1 + self.dark - brightness) / 2, (1 + brightness - self.bright) / 2
        return np.array([blur, under, over], np.float32)


def plain_rules(rules: LaplacianBaseline, name: str) -> Classifier:
    """The contender who goes by these rules."""
    return Classifier(name, lambda: rules.look)


def fitted_rules(seen: NDArray[np.floating], labels: NDArray[np.float32]) -> LaplacianBaseline:
    """The rules with the highest F1 on pictures with these measures (n, 2) and labels (n, 3)."""
    truth = labels > 0.5
    sharpness, dark = (-best_threshold(-seen[:, which], truth[:, which]) for which in (0, 1))
    return LaplacianBaseline(sharpness, dark, best_threshold(seen[:, 1], truth[:, 2]))


def measuring() -> Classifier:
    """A contender who judges nothing: variance of the Laplacian, mean brightness and a zero."""
    return Classifier("measures", lambda: lambda frame: np.array([*measures(frame), 0], np.float32))


def measures(frame: Frame) -> tuple[float, float]:
    """The variance of the Laplacian, and the mean brightness (0..1) of a frame."""
    grey = photometric.luma(frame.astype(np.float32))
    return laplacian_variance(grey), float(grey.mean()) / 255


def laplacian_variance(grey: NDArray[np.float32]) -> float:
    """The variance of the 4-neighbour Laplacian of a grey picture (height, width; 0..255), borders left out."""
    middle = grey[1:-1, 1:-1]
    edges = grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:] - 4 * middle
    return float(edges.var())
