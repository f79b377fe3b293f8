"""The loop that hands shards to actors: one to each at a time, and again if an actor is lost over it.

An actor is sent a list of paths and returns counts, so that neither Ray nor this process holds rows or pixels.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Protocol

from culld.archive.nodes.actors import ShardActor
from culld.archive.nodes.placement import MAX_LOSSES, is_poisonous, replacement
from culld.archive.nodes.ray_cluster import live_nodes
from culld.archive.records import SharpnessChoice, Tally
from culld.errors import SystemFaultError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from culld.archive.nodes.placement import ActorSpec, Node
    from culld.archive.records import Shard
    from culld.config import Config

_BEAT_S: Final = 1.0
_START_S: Final = 120.0
"""The processors of a cluster may be in use: an actor that waits for one joins later, but one must start by then."""


class Progress(Protocol):
    """What is told about the rows while they are made."""

    def update(self, photos: int, tally: Tally) -> None:
        """Take the number of photos that are scored, and the counts of the shards that are committed."""


@dataclass(slots=True)
class _Waiting:
    """The shards that no actor has yet, those first that are done again."""

    fresh: Iterator[Shard]
    again: list[Shard] = field(default_factory=list)

    def __bool__(self) -> bool:
        """Whether there is one."""
        if not self.again and (shard := next(self.fresh, None)) is not None:
            self.again.append(shard)
        return bool(self.again)


@dataclass(frozen=True, slots=True)
class _Member:
    actor: Any
    spec: ActorSpec


@dataclass(slots=True)
class Crew:
    """The actors of one run. `used` are the ids of the nodes on which actors may run."""

    config: Config
    out: Path
    specs: Sequence[ActorSpec]
    sharpness: SharpnessChoice = SharpnessChoice.BURSTS
    _used: frozenset[str] = frozenset()
    _starting: dict[Any, _Member] = field(default_factory=dict)
    _idle: list[_Member] = field(default_factory=list)
    _busy: dict[Any, tuple[_Member, Shard]] = field(default_factory=dict)
    _lost_on: defaultdict[int, list[str]] = field(default_factory=lambda: defaultdict(list))
    _lost_starts: Counter[str] = field(default_factory=Counter)
    _done: dict[Any, int] = field(default_factory=dict)
    _asked_at: float = 0.0

    def start(self) -> None:
        """Start the actors, and wait until each can score, or some can and the others wait for a processor.

        Raises SystemFaultError if none can.
        """
        self._used = frozenset(spec.node for spec in self.specs)
        for spec in self.specs:
            self._add(spec)
        until = time.monotonic() + _START_S
        while self._starting and time.monotonic() < until:
            self._settle(_BEAT_S)
        if not self._idle:
            raise SystemFaultError(
                f"no actor could be started in {_START_S:.0f} s; are all processors of the cluster in use?"
            )

    def score(self, shards: Iterable[Shard], progress: Progress) -> Tally:
        """Score all shards; a shard whose actor is lost goes to another one.

        Raises SystemFaultError if the output cannot be written, if a shard costs `MAX_LOSSES` actors of nodes that go
        on, or if no actor is left.
        """
        waiting, total, worked = _Waiting(iter(shards)), Tally(), time.monotonic()
        while self._hand_out(waiting) or waiting:
            if not self._busy and (not self._starting or time.monotonic() > worked + _START_S):
                raise SystemFaultError("no actor is left, and none can be started; start the same command again")
            for shard, tally in self._settle(_BEAT_S):
                total, worked = total + (tally or Tally({}, 1)), time.monotonic()
                if tally is None:
                    waiting.again.append(shard)
            progress.update(total.photos + self._under_way(), total)
        return total

    def _hand_out(self, waiting: _Waiting) -> bool:
        """Hand each idle actor a shard; return whether any actor works."""
        while self._idle and waiting:
            member, shard = self._idle.pop(), waiting.again.pop()
            self._busy[member.actor.score.remote(shard)] = (member, shard)
        return bool(self._busy)

    def _settle(self, timeout_s: float) -> list[tuple[Shard, Tally | None]]:
        """Wait for the next answers; return the shards that ended, those whose actor was lost with None."""
        import ray

        ready, _ = ray.wait([*self._busy, *self._starting], num_returns=1, timeout=timeout_s)
        for ref in ready:
            if ref in self._starting:
                self._started(ref)
        return [self._finished(ref) for ref in ready if ref in self._busy]

    def _started(self, ref: Any) -> None:
        import ray

        member = self._starting.pop(ref)
        try:
            ray.get(ref)
        except _losses():
            self._lost_starts[member.spec.node] += 1
            self._replace(member)
        except ray.exceptions.RayError as error:
            raise _fault(error) from error
        else:
            self._idle.append(member)

    def _finished(self, ref: Any) -> tuple[Shard, Tally | None]:
        import ray

        member, shard = self._busy.pop(ref)
        self._done.pop(ref, None)
        try:
            tally = ray.get(ref)
        except _losses() as error:
            self._lost_on[shard.number].append(member.spec.node)
            if is_poisonous(self._lost_on[shard.number], live_nodes()):
                raise _fault(error, shard) from error
            self._replace(member)
            return shard, None
        except ray.exceptions.RayError as error:
            raise _fault(error) from error
        self._idle.append(member)
        return shard, tally

    def _replace(self, lost: _Member) -> None:
        """Start another actor in the place of a lost one, if a node has room for it."""
        import ray

        with contextlib.suppress(ray.exceptions.RayError):  # one that cannot be reached may go on
            ray.kill(lost.actor)
        spec = replacement(lost.spec, [member.spec for member in self._members()], self._usable())
        if spec is not None:
            self._add(spec)

    def _usable(self) -> list[Node]:
        """Return the nodes that can score now; one on which actors cannot be started is left alone."""
        return [node for node in live_nodes() if node.id in self._used and self._lost_starts[node.id] < MAX_LOSSES]

    def _members(self) -> Iterator[_Member]:
        yield from self._idle
        yield from self._starting.values()
        yield from (member for member, _ in self._busy.values())

    def _add(self, spec: ActorSpec) -> None:
        import ray
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        options = {
            "num_cpus": spec.cpus,
            "num_gpus": int(spec.gpu),
            "max_concurrency": 2,  # `done` is answered while `score` works
            "scheduling_strategy": NodeAffinitySchedulingStrategy(spec.node, soft=False),
        }
        actor: Any = ray.remote(ShardActor).options(**options).remote(self.config, spec, self.out, self.sharpness)
        self._starting[actor.start.remote()] = _Member(actor, spec)

    def _under_way(self) -> int:
        """Return the number of photos that are read of shards that are not committed, as asked each second."""
        import ray

        if self._busy and time.monotonic() > self._asked_at + _BEAT_S:
            asked = {member.actor.done.remote(): ref for ref, (member, _) in self._busy.items()}
            ready, _ = ray.wait(list(asked), num_returns=len(asked), timeout=_BEAT_S)
            for answer in ready:
                with contextlib.suppress(ray.exceptions.RayError):  # of an actor that is lost
                    self._done[asked[answer]] = ray.get(answer)
            self._asked_at = time.monotonic()
        return sum(self._done.values())


def _losses() -> tuple[type[Exception], ...]:
    """Return the errors of Ray that say that an actor, its node, or its answer is lost."""
    from ray import exceptions

    return (
        exceptions.RayActorError,
        exceptions.WorkerCrashedError,
        exceptions.OutOfMemoryError,
        exceptions.NodeDiedError,
        exceptions.ActorUnschedulableError,
        exceptions.ObjectLostError,
    )


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
