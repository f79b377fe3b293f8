"""The actors of Ray, and the loop that hands them shards.

An actor never opens a photo. It has one worker process of culld's own, with the limits of memory and time that the
daemon has: a photo that crashes a decoder costs this process, and neither the actor nor the rows of its shard.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Protocol

from culld.app.engine_pool import open_pool
from culld.archive.folder import ArchiveFolder
from culld.archive.records import SharpnessChoice, Tally
from culld.archive.shards import ShardScorer
from culld.errors import SystemFaultError
from culld.records import EngineKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from culld.archive.records import Shard
    from culld.config import Config

_BEAT_S: Final = 1.0
MAX_LOSSES: Final = 3
"""So many actors may be lost over one shard before the run ends: something outside of the photos ends them."""


class Progress(Protocol):
    """What is told about the rows while they are made."""

    def update(self, photos: int, tally: Tally) -> None:
        """Take the number of photos that are scored, and the counts of the shards that are committed."""


class ShardActor:
    """The body of an actor: a pool of one worker, and the shards that it scores."""

    def __init__(self, config: Config, out: Path, sharpness: SharpnessChoice) -> None:
        """Start nothing yet: an error here would reach the driver without its text."""
        self._config = config
        self._folder = ArchiveFolder(out)
        self._sharpness = sharpness
        self._open = contextlib.ExitStack()
        self._scorer: ShardScorer | None = None

    def start(self) -> None:
        """Start the worker; raises SystemFaultError if the model cannot be used."""
        # Otherwise multiprocessing imports the main module of this process, and with it Ray, in the worker as well.
        sys.modules["__main__"].__file__ = None
        pool = self._open.enter_context(open_pool(self._config))
        self._scorer = ShardScorer(pool, self._folder, self._sharpness)

    def score(self, shard: Shard) -> Tally:
        """Score a shard, and commit its rows."""
        if self._scorer is None:
            self.start()
        assert self._scorer is not None  # noqa: S101 (for the type checker)
        return self._scorer.score(shard)

    def done(self) -> int:
        """Return how many photos of the present shard have a row."""
        return 0 if self._scorer is None else self._scorer.done


@dataclass(slots=True)
class Crew:
    """The actors of one run. Each has one shard at a time.

    It is sent a list of paths and returns counts, so that neither Ray nor this process holds rows or pixels.
    """

    config: Config
    out: Path
    workers: int
    sharpness: SharpnessChoice = SharpnessChoice.BURSTS
    _idle: list[Any] = field(default_factory=list)
    _busy: dict[Any, tuple[Any, Shard]] = field(default_factory=dict)

    def start(self) -> None:
        """Start all actors and wait until each can score; raises SystemFaultError."""
        import ray

        self._idle = [self._actor() for _ in range(self.workers)]
        try:
            ray.get([actor.start.remote() for actor in self._idle])
        except ray.exceptions.RayError as error:
            raise _fault(error) from error

    def _actor(self) -> Any:
        import ray

        one = self.config.model_copy(update={"workers": 1, "model": self._model()})
        # Two calls at a time: `done` is answered while `score` works.
        return ray.remote(ShardActor).options(num_cpus=1, max_concurrency=2).remote(one, self.out, self.sharpness)

    def _model(self) -> Any:
        """Return the model with the engine LiteRT: a GPU process for each actor would fill the memory of the GPU."""
        return self.config.model.model_copy(update={"engine": EngineKind.LITERT})

    def score(self, shards: Iterable[Shard], progress: Progress) -> Tally:
        """Score all shards; a shard whose actor is lost goes to another one.

        Raises SystemFaultError if the output cannot be written, or if a shard costs `MAX_LOSSES` actors.
        """
        import ray

        waiting, again, total = iter(shards), list[Any](), Tally()
        losses: Counter[int] = Counter()
        while self._fill(again, waiting):
            ready, _ = ray.wait(list(self._busy), num_returns=1, timeout=_BEAT_S)
            for ref in ready:
                actor, shard = self._busy.pop(ref)
                try:
                    total += ray.get(ref)
                    self._idle.append(actor)
                except (ray.exceptions.RayActorError, ray.exceptions.WorkerCrashedError) as error:
                    losses[shard.number] += 1
                    if losses[shard.number] == MAX_LOSSES:
                        raise _fault(error, shard) from error
                    total += Tally({}, 1)
                    again.append(shard)
                    self._idle.append(self._actor())
                except ray.exceptions.RayError as error:
                    raise _fault(error) from error
            progress.update(total.photos + self._under_way(), total)
        return total

    def _fill(self, again: list[Shard], waiting: Iterator[Shard]) -> bool:
        """Hand each idle actor a shard; return whether any actor works."""
        while self._idle:
            shard = again.pop() if again else next(waiting, None)
            if shard is None:
                break
            actor = self._idle.pop()
            self._busy[actor.score.remote(shard)] = (actor, shard)
        return bool(self._busy)

    def _under_way(self) -> int:
        """Return the number of photos with a row in shards that are not committed; 0 for an actor that is lost."""
        import ray

        asked = [actor.done.remote() for actor, _ in self._busy.values()]
        ready, _ = ray.wait(asked, num_returns=len(asked), timeout=_BEAT_S) if asked else ([], [])
        count = 0
        for ref in ready:
            with contextlib.suppress(ray.exceptions.RayError):
                count += ray.get(ref)
        return count


def _fault(error: Exception, shard: Shard | None = None) -> SystemFaultError:
    """Return an error of Ray as a sentence about its cause."""
    cause = getattr(error, "cause", None)
    if isinstance(cause, SystemFaultError):
        return cause
    if isinstance(cause, OSError):  # that of pyarrow has a number, and no plain text
        why = os.strerror(cause.errno) if cause.errno else str(cause)
        return SystemFaultError(f"the archive cannot be written: {why}; start the same command again")
    if shard is not None:
        return SystemFaultError(
            f"shard {shard.number} ended {MAX_LOSSES} actors; is there too little memory? The other shards are kept;"
            " start the same command again"
        )
    return SystemFaultError(f"Ray failed: {error}")
