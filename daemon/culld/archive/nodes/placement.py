"""Which actor runs on which node; pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

MAX_LOSSES: Final = 3
"""So many actors may be lost over one shard before the run ends: something outside of the photos ends them."""


@dataclass(frozen=True, slots=True)
class Node:
    """A node of Ray: its id, its name for people, and how many processors and GPUs Ray may use on it."""

    id: str
    name: str
    cpus: int
    gpus: int = 0


@dataclass(frozen=True, slots=True)
class ActorSpec:
    """An actor on a node, and the processors that it takes; one with a `gpu` has as many workers, which decode for it.

    Any other one has a single worker and takes one processor.
    """

    node: str
    cpus: int = 1
    gpu: bool = False


def actor_specs(nodes: Sequence[Node], most: int | None = None, *, may_use_gpu: bool = True) -> list[ActorSpec]:
    """Return the actors for some nodes, which take `most` processors in all; None: all of them.

    Each GPU gets one actor with an equal share of the processors of its node, each other processor an actor of its own.
    The nodes take turns, so that few actors are on many nodes.
    """
    turns = [_specs_of(node, may_use_gpu=may_use_gpu) for node in nodes]
    found: list[ActorSpec] = []
    left = sum(node.cpus for node in nodes) if most is None else most
    while left > 0 and turns:
        for specs in list(turns):
            spec = next(specs, None)
            if spec is None:
                turns.remove(specs)
            elif left > 0:
                cpus = min(spec.cpus, left)
                found.append(ActorSpec(spec.node, cpus, spec.gpu))
                left -= cpus
    return found


def _specs_of(node: Node, *, may_use_gpu: bool) -> Iterator[ActorSpec]:
    gpus = min(node.gpus, node.cpus) if may_use_gpu else 0
    for number in range(gpus):
        yield ActorSpec(node.id, (node.cpus + number) // gpus, gpu=True)
    yield from islice(iter(lambda: ActorSpec(node.id), None), 0 if gpus else node.cpus)


def replacement(lost: ActorSpec, others: Collection[ActorSpec], alive: Sequence[Node]) -> ActorSpec | None:
    """Return the actor that takes the place of a lost one: on its node, else on the one with most free processors.

    None if its node is gone and the processors of all others are taken: the run goes on with fewer actors. `others`
    are the actors that are left.
    """
    if any(node.id == lost.node for node in alive):
        return lost
    taken = Counter[str]()
    for spec in others:
        taken[spec.node] += spec.cpus
    free = {node.id: node.cpus - taken[node.id] for node in alive}
    best = max(free, key=lambda each: free[each], default=None)
    return ActorSpec(best) if best is not None and free[best] > 0 else None


def is_poisonous(lost_on: Sequence[str], alive: Sequence[Node]) -> bool:
    """Whether the shard that actors on these nodes had ends every actor: on a node that is gone it is not to blame."""
    here = {node.id for node in alive}
    return sum(node in here for node in lost_on) >= MAX_LOSSES
