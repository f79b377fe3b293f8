"""Small predictions of one contender, whose figures can be computed by hand."""

from __future__ import annotations

import numpy as np

from culld.training.report import Predictions

NIGHT, PLAIN = frozenset({"night_lowkey"}), frozenset[str]()
TAG, REJECT = (0.5, 0.6, 0.6), (0.97, None, 0.97)
SHARES = (0.1, 0.1, 0.1)


def predictions(
    scores: list[list[float]], labels: list[list[float]], groups: list[str], tags: list[frozenset[str]]
) -> Predictions:
    """The predictions of one protocol."""
    return Predictions(np.array(labels, np.float32), np.array(groups), tuple(tags), np.array(scores, np.float32))


def all_protocols() -> dict[str, Predictions]:
    """Two scenes, one of them a night that is wrongly tagged."""
    clean = predictions([[0, 0, 0], [0, 0.7, 0]], [[0, 0, 0]] * 2, ["clean"] * 2, [PLAIN, NIGHT])
    linear = predictions(
        [[0, 0, 0], [0, 0.7, 0], [0.9, 0, 0], [0.2, 0, 0]],
        [[0, 0, 0], [0, 0, 0], [1, 0, 0], [1, 0, 0]],
        ["clean", "clean", "linear", "linear"],
        [PLAIN, NIGHT] * 2,
    )
    return {
        "kadis 1": linear,
        "kadis 2": predictions([[0, 0, 0], [0.9, 0, 0]], [[0, 0, 0], [1, 0, 0]], ["clean", "kadis"], [PLAIN] * 2),
        "linear": linear,
        "other ways": clean,
        "strong blur": predictions([[0.98, 0, 0], [0.6, 0, 0]], [[1, 0, 0]] * 2, ["disk 4", "disk 8"], [PLAIN] * 2),
        "real": predictions([[0, 0.9, 0], [0, 0.1, 0.7]], [[0, 1, 0], [0, 0, 1]], ["under", "over"], [PLAIN] * 2),
    }
