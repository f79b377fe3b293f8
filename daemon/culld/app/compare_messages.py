"""The request to the worker process of `culld compare`, and its answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias

from culld.records import RootedPath

if TYPE_CHECKING:
    from culld.errors import PhotoError

Source: TypeAlias = RootedPath | bytes
"""A photo: where it is, or the bytes of its file."""


class CompareHandler(Protocol):
    """The handler of the requests in a worker process: see `compare_worker.CompareWorker`."""

    def compare(self, request: CompareRequest) -> Comparison | PhotoError:
        """Compare two photos."""


@dataclass(frozen=True, slots=True)
class CompareSettings:
    """The name of the model of change, and the limits of a photo: width times height, and bytes of its file."""

    model: str
    pixels: int
    file_size: int


@dataclass(frozen=True, slots=True)
class CompareRequest:
    """Two photos to compare, with the names that the answer calls them by; `picture` asks for one."""

    first: Source
    second: Source
    names: tuple[str, str]
    picture: bool = False

    def handle(self, handler: CompareHandler) -> Comparison | PhotoError:
        """Return the comparison, or the error that prevented it."""
        return handler.compare(self)


@dataclass(frozen=True, slots=True)
class Laid:
    """How the second photo lies on the first one: see `imaging.align.Alignment`; `matrix` has three rows."""

    method: str
    inliers: int
    ratio: float
    error_px: float
    matrix: tuple[tuple[float, ...], ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """How the second photo differs from the first one.

    Two photos that cannot be compared have no `alignment`, and the `reason` in one sentence, which is the `sentence`
    as well. The other fields are those of `compare.difference.Difference`; `sharper_where` holds the place, the frame
    and the share of its edges, `changed_where` the place and its share of the change. `picture` is a PNG, empty unless
    it was asked for.
    """

    model: str
    sentence: str
    reason: str | None = None
    alignment: Laid | None = None
    changed: float | None = None
    changed_where: tuple[tuple[str, float], ...] = ()
    sharpness_ratio: float | None = None
    sharper: str | None = None
    sharper_where: tuple[tuple[str, str, float], ...] = ()
    exposure_ev: float | None = None
    picture: bytes = b""


def as_json(found: Comparison, first: str, second: str) -> dict[str, object]:
    """Return a comparison as the values of `--json` and of the HTTP API."""
    laid = found.alignment
    return {
        "first": first,
        "second": second,
        "comparable": laid is not None,
        "reason": found.reason,
        "alignment": None if laid is None else _laid_json(laid),
        "changed": _rounded(found.changed),
        "changed_where": [{"where": where, "share": round(share, 4)} for where, share in found.changed_where],
        "sharpness_ratio": _rounded(found.sharpness_ratio),
        "exposure_ev": _rounded(found.exposure_ev, 2),
        "sharper": found.sharper,
        "sharper_where": [
            {"where": where, "in": frame, "share": round(share, 4)} for where, frame, share in found.sharper_where
        ],
        "model": found.model,
        "sentence": found.sentence,
    }


def _laid_json(laid: Laid) -> dict[str, object]:
    return {
        "method": laid.method,
        "inliers": laid.inliers,
        "ratio": round(laid.ratio, 4),
        "error_px": round(laid.error_px, 3),
        "matrix": [[float(f"{value:.9g}") for value in row] for row in laid.matrix],
    }


def _rounded(value: float | None, digits: int = 4) -> float | None:
    return None if value is None else round(value, digits)
