"""The sanity check of heat maps (arXiv 1810.03292): a map that does not change with random weights explains nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.explain.pictures import Frame
from culld.explain.heads import Head, Heads, Layers
from culld.explain.heat import heat_of
from culld.explain.light import light_levels
from culld.explain.method import Method
from culld.explain.network import ExplainNetwork
from culld.records import Defect
from culld.training.cam.export import levels_model

Plane = NDArray[np.float32]


def similarities(network: ExplainNetwork, model: Any, frames: Sequence[Frame], head: Defect) -> dict[str, list[float]]:
    """Return Spearman's correlation of each frame's map with the one of randomised weights, by what is randomised.

    `model` is the Keras model of the network; its backbone is randomised in place, from the last layers on.
    """
    own = [heat_of(network, network.outputs(frame), head, Method.HIRESCAM).values for frame in frames]
    rng = np.random.default_rng(1)
    mixed = replace(network, heads=replace(network.heads, by_defect=_mixed_heads(network.heads, rng)))
    found = {"heads": [heat_of(mixed, mixed.outputs(frame), head, Method.HIRESCAM).values for frame in frames]}
    levels = levels_model(model)
    for name, least in (("late half of the backbone", 0.5), ("whole backbone", 0.0)):
        _mix_backbone(model, least, rng)
        found[name] = [_map(network, levels, frame, head) for frame in frames]
    return {name: [spearman(one, other) for one, other in zip(own, maps, strict=True)] for name, maps in found.items()}


def spearman(one: Plane, other: Plane) -> float:
    """Return the rank correlation of two maps."""
    ranks = [np.argsort(np.argsort(each.ravel(), kind="stable"), kind="stable") for each in (one, other)]
    return float(np.corrcoef(ranks)[0, 1])


def _map(network: ExplainNetwork, levels: Any, frame: Frame, head: Defect) -> Plane:
    outputs = {name: np.asarray(array)[0] for name, array in levels(frame[None].astype(np.float32)).items()}
    return heat_of(network, outputs | light_levels(frame), head, Method.HIRESCAM).values


def _mixed_heads(heads: Heads, rng: np.random.Generator) -> dict[Defect, Head]:
    """The heads with the weights of every kernel in a random order."""

    def mixed(layers: Layers) -> Layers:
        kernels = tuple(rng.permutation(kernel.ravel()).reshape(kernel.shape) for kernel in layers.kernels)
        return replace(layers, kernels=kernels)

    return {
        defect: replace(head, members=tuple(mixed(each) for each in head.members))
        for defect, head in heads.by_defect.items()
    }


def _mix_backbone(model: Any, least: float, rng: np.random.Generator) -> None:
    """Put the weights of each convolution into a random order, from this share of a trunk's depth on."""
    trunks = [layer for layer in model.get_layer("features").layers if layer.name.startswith("trunk_")]
    for trunk in trunks:
        convolutions = [layer for layer in trunk.layers if type(layer).__name__ in {"Conv2D", "DepthwiseConv2D"}]
        for layer in convolutions[round(least * len(convolutions)) :]:
            kernel, *rest = layer.get_weights()
            layer.set_weights([rng.permutation(kernel.ravel()).reshape(kernel.shape), *rest])
