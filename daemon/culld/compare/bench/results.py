"""The results of the bench as records, and as the JSON of results.json."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from culld.compare.bench.figures import Figures

RESULTS_FILE, TABLE_FILE, PAGE_FILE = "results.json", "table.md", "index.html"


@dataclass(frozen=True, slots=True)
class Cost:
    """Time and memory of a model in a fresh process with one thread.

    `p50_ms` and `p95_ms` of `runs` runs, one pair (or frame) each, after the warm-up. `memory_mb` is the peak of the
    resident memory above `baseline_mb`, that of the process with its imports and the pairs.
    """

    p50_ms: float
    p95_ms: float
    runs: int
    memory_mb: float
    baseline_mb: float


@dataclass(frozen=True, slots=True)
class Machine:
    """Where the bench ran: processor, cores that the process may use, and versions of what computes, by name."""

    cpu: str
    cores: int
    versions: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class SetFacts:
    """The frozen set: its size, and the digest of its pixels, 12 hex digits.

    `kinds` counts the pairs of each kind, `empty` names the kinds without a change, `calibration` is the
    number of pairs of other scenes that the best threshold comes from. `width` and `height` in pixels.
    """

    pairs: int
    scenes: int
    kinds: Mapping[str, int]
    empty: tuple[str, ...]
    calibration: int
    width: int
    height: int
    digest: str


@dataclass(frozen=True, slots=True)
class ModelRow:
    """One model of change; without figures, cost and size where it is untrained, `missing` then is the reason.

    `half` are its figures at the threshold 0.5, `best` those at the best one of the calibration scenes. `size_bytes`
    is that of its file, None for a measure without weights.
    """

    name: str
    summary: str
    half: Figures | None = None
    best: Figures | None = None
    cost: Cost | None = None
    size_bytes: int | None = None
    missing: str = ""


@dataclass(frozen=True, slots=True)
class HeadFigures:
    """F1 at the threshold of `tag`, AUC, and expected calibration error of one head; None where it was not measured."""

    f1: float
    auc: float
    ece: float | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a model may replace the one in service, with one sentence for each reason."""

    allowed: bool
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DefectRow:
    """One defect model, or what stands beside it in its figures; without cost and size where it does not ship.

    `photos` identifies the photos of the figures. `verdict` is None for the model in service.
    """

    name: str
    heads: Mapping[str, HeadFigures]
    photos: str
    cost: Cost | None = None
    size_bytes: int | None = None
    verdict: Verdict | None = None


@dataclass(frozen=True, slots=True)
class Results:
    """Everything that one run of the bench measured; `alignment` is the cost of aligning a pair, timed apart."""

    culld: str
    machine: Machine
    pairs: SetFacts
    models: tuple[ModelRow, ...]
    alignment: Cost | None
    alignment_size: tuple[int, int] | None
    defects: tuple[DefectRow, ...]


def results_json(results: Results) -> str:
    """Return the text of results.json: the fields of the records, with figures 0..1, ms, MB and bytes."""
    return json.dumps(asdict(results), indent=1, ensure_ascii=False) + "\n"
