"""Classifiers without a network: thresholds on the variance of the Laplacian and on the mean brightness.

A classifier scores one frame with three numbers, higher for more defective, in the order of the network's outputs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from culld.training import photometric
from culld.training.metrics import precision_recall

Frame = NDArray[np.uint8]
Run = Callable[[Frame], NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class Classifier:
    """A way to score frames.

    `open` returns a function that scores one frame, for one thread; `tag` are the scores from which on it calls a
    defect, `reject` those from which on it would move the photo (None: never). `calibrated`: its scores claim to be
    probabilities.
    """

    name: str
    open: Callable[[], Run]
    tag: tuple[float, float, float] = (0.5, 0.5, 0.5)
    reject: tuple[float | None, float | None, float | None] = (None, None, None)
    calibrated: bool = False


@dataclass(frozen=True, slots=True)
class LaplacianBaseline:
    """Blurred up to this variance of the Laplacian, dark up to and bright from these mean brightnesses (0..1).

    The defaults: 100 is the usual threshold of tutorials for the Laplacian; a quarter and three quarters of the
    brightness have no source.
    """

    sharpness: float = 100.0
    dark: float = 0.25
    bright: float = 0.75

    def __str__(self) -> str:
        """Return the thresholds as text."""
        return f"Laplacian up to {self.sharpness:.0f}, brightness up to {self.dark:.2f} or from {self.bright:.2f}"

    def score(self, frame: Frame) -> NDArray[np.float32]:
        """Return three numbers in 0..1 for a frame, each at least a half exactly where its rule calls a defect."""
        sharpness, brightness = measures(frame)
        blur = 1.0 if not self.sharpness + sharpness else self.sharpness / (self.sharpness + sharpness)
        under, over = (1 + self.dark - brightness) / 2, (1 + brightness - self.bright) / 2
        return np.array([blur, under, over], np.float32)

    def classifier(self, name: str) -> Classifier:
        """Return the classifier of this name that goes by these thresholds."""
        return Classifier(name, lambda: self.score)


def fitted_baseline(measured: NDArray[np.floating], labels: NDArray[np.float32]) -> LaplacianBaseline:
    """Return the baseline with the highest F1 on pictures with these measures (n, 2) and labels (n, 3)."""
    truth = labels > 0.5
    sharpness, dark = (-best_threshold(-measured[:, which], truth[:, which]) for which in (0, 1))
    return LaplacianBaseline(sharpness, dark, best_threshold(measured[:, 1], truth[:, 2]))


def best_threshold(scores: NDArray[np.floating], truth: NDArray[np.bool_]) -> float:
    """Return the score from which on flagging has the highest F1, the strictest of equals; infinite if all is clean."""
    if not truth.any():
        return float("inf")
    recall, precision = precision_recall(scores, truth)
    f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-12)
    return float(np.unique(scores)[::-1][int(np.argmax(f1))])


def measures(frame: Frame) -> tuple[float, float]:
    """Return the variance of the Laplacian, and the mean brightness (0..1) of a frame."""
    grey = photometric.luma(frame.astype(np.float32))
    return laplacian_variance(grey), float(grey.mean()) / 255


def laplacian_variance(grey: NDArray[np.float32]) -> float:
    """Return the variance of the 4-neighbour Laplacian of a grey picture (height, width; 0..255) without its border."""
    middle = grey[1:-1, 1:-1]
    edges = grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:] - 4 * middle
    return float(edges.var())
