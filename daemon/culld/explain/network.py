"""The defect network with its levels, loaded from the files of a model folder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from culld.errors import SystemFaultError
from culld.explain.heads import Heads
from culld.explain.light import light_levels
from culld.inference.card import model_digest, read_card
from culld.inference.litert import LiteRtNetwork, silence_stderr
from culld.records import Defect

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from typing import Any

    import numpy as np
    from numpy.typing import NDArray

    from culld.inference.network import Network

GRAPH_FILE: Final = "explain.tflite"
HEADS_FILE: Final = "explain.npz"
FEATURES: Final = "features"
LEVELS: Final[Mapping[Defect, tuple[str, ...]]] = {
    Defect.BLUR: ("full_2", "full_3"),
    Defect.UNDER: ("half_0", "quarter_0", "quarter_1", "grid"),
    Defect.OVER: ("half_0", "light", "grid"),
}
"""The levels whose maps are added for each head, as chosen on development photos (`models/defects/explain.md`)."""


@dataclass(frozen=True, slots=True)
class ExplainNetwork:
    """A network from a frame to its features and levels, its heads, and the levels that explain each head."""

    network: Network
    heads: Heads
    levels: Mapping[Defect, tuple[str, ...]]

    @classmethod
    def open(cls, folder: Path) -> ExplainNetwork:
        """Load the files that the card of a model folder names; raises SystemFaultError if they cannot be used."""
        entry = read_card(folder).explain
        try:
            files = dict(entry["files"])
            levels = {Defect(head): tuple(map(str, names)) for head, names in entry["levels"].items()}
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise SystemFaultError(
                f"the model in {folder} has no files to explain it; write them with `culld model export {folder}`"
            ) from error
        for name in (GRAPH_FILE, HEADS_FILE):
            if model_digest(folder, name) != files.get(name):
                raise SystemFaultError(
                    f"{folder / name} is not the file that the card describes; run `culld model export {folder}`"
                )
        with silence_stderr():
            return cls(LiteRtNetwork(folder / GRAPH_FILE), Heads.load(folder / HEADS_FILE), levels)

    def outputs(self, frame: NDArray[np.uint8]) -> dict[str, NDArray[Any]]:
        """Return the features and levels of a frame, uint8 RGB (384, 512, 3), by name."""
        found = self.network.run({"frame": frame[None]})
        return {name: array[0] for name, array in found.items()} | light_levels(frame)
