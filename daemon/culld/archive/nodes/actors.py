"""The actor of Ray that scores shards.

An actor never opens a photo. It has one worker process of culld's own, with the limits of memory and time that the
daemon has: a photo that crashes a decoder costs this process, and neither the actor nor the rows of its shard.
"""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING, Final

from culld.app.engine_pool import open_pool
from culld.archive.objects.copies import Allowance
from culld.archive.parquet.folder import ArchiveFolder
from culld.archive.scoring.shards import AT_ONCE, ShardScorer
from culld.archive.scoring.source import ObjectSource
from culld.records import EngineKind

if TYPE_CHECKING:
    from pathlib import Path

    from culld.archive.nodes.placement import ActorSpec
    from culld.archive.records import Shard, SharpnessChoice, Tally
    from culld.config import Config

_AHEAD_OF_GPU: Final = 256
"""So many photos are handed to the workers at once that a batch for the GPU fills."""


def config_for(config: Config, spec: ActorSpec) -> Config:
    """Return the configuration of an actor: the engine LiteRT and one worker, unless the actor has a GPU.

    A process of TensorFlow for each actor would fill the memory of the GPU.
    """
    if spec.gpu:
        return config.model_copy(update={"workers": spec.cpus})
    model = config.model.model_copy(update={"engine": EngineKind.LITERT})
    return config.model_copy(update={"workers": 1, "model": model})


class ShardActor:
    """The body of an actor: a pool of one worker, with a GPU of several, and the shards that it scores."""

    def __init__(self, config: Config, spec: ActorSpec, out: Path, sharpness: SharpnessChoice) -> None:
        """Start nothing yet: an error here would reach the driver without its text."""
        self._config = config_for(config, spec)
        self._at_once = _AHEAD_OF_GPU if spec.gpu else AT_ONCE
        self._folder = ArchiveFolder(out)
        self._sharpness = sharpness
        self._open = contextlib.ExitStack()
        self._scorer: ShardScorer | None = None

    def start(self) -> None:
        """Start the worker; raises SystemFaultError if the model cannot be used."""
        # Otherwise multiprocessing imports the main module of this process, and with it Ray, in the worker as well.
        sys.modules["__main__"].__file__ = None
        pool = self._open.enter_context(open_pool(self._config))
        source = ObjectSource(Allowance(self._config.limits.file_size))
        self._scorer = ShardScorer(pool, self._folder, self._sharpness, self._at_once, source)

    def score(self, shard: Shard) -> Tally:
        """Score a shard, and commit its rows."""
        if self._scorer is None:
            self.start()
        assert self._scorer is not None  # noqa: S101 (for the type checker)
        return self._scorer.score(shard)

    def done(self) -> int:
        """Return how many photos of the present shard have a row."""
        return 0 if self._scorer is None else self._scorer.done
