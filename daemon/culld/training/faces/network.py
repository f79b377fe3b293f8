"""Build YuNet in Keras from the nodes and weights of its ONNX file.

The Keras model takes RGB pixels 0..255 (n, side, side, 3), channels last; the ONNX file takes BGR, channels first. Its
one output (n, anchors, 15) has for each anchor the score (0..1), the box (offsets of its centre and logarithms of
its width and height, in strides) and five points (x, y offsets in strides); the anchors are those of strides 8, 16 and
32, in this order, row by row.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from culld.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from culld.training.faces.onnx_file import Graph, Node

STRIDES = (8, 16, 32)
_OUTPUTS = ("cls", "obj", "bbox", "kps")


def build_face_network(graph: Graph, side: int) -> Any:
    """Return the Keras model of YuNet for frames of `side` x `side` pixels; `side` is a multiple of 32.

    Raises `ConfigError` for a node that the graph of YuNet does not have.
    """
    import keras

    pixels = keras.Input((side, side, 3), name="pixels")
    known: dict[str, Any] = {"input": pixels}
    for node in graph.nodes:
        known[node.outputs[0]] = _apply(node, known, graph)
    levels = [_level(known, stride) for stride in STRIDES]
    return keras.Model(pixels, keras.ops.concatenate(levels, axis=1))


def _level(known: Mapping[str, Any], stride: int) -> Any:
    """Return the anchors of one stride (n, anchors, 15): the score is the root of cls times obj."""
    import keras

    maps = [known[f"{name}_{stride}"] for name in _OUTPUTS]
    _, height, width, _ = maps[0].shape
    cls, obj, *rest = (keras.layers.Reshape((height * width, each.shape[-1]))(each) for each in maps)
    return keras.ops.concatenate([keras.ops.sqrt(cls * obj), *rest], axis=-1)


def _apply(node: Node, known: Mapping[str, Any], graph: Graph) -> Any:
    """Return the result of a node; raises `ConfigError` for an operation that YuNet does not have."""
    first, *others = [known[name] for name in node.inputs if name in known]
    match node.operation:
        case "Conv":
            return _convolve(node, first, graph)
        case "Relu" | "Sigmoid" as name:
            return _layers().Activation(name.lower())(first)
        case "MaxPool":
            return _layers().MaxPooling2D(2)(first)
        case "Resize":
            return _layers().UpSampling2D(2, interpolation="nearest")(first)
        case "Add":
            return _layers().Add()([first, *others])
        case "Transpose" | "Reshape":  # the maps are channels last already, and `_level` flattens them
            return first
        case other:
            raise ConfigError((f"the graph has the operation {other}, which YuNet does not have",))


def _convolve(node: Node, values: Any, graph: Graph) -> Any:
    """Apply a convolution; padding 1 stands on each side, also where Keras' own `same` padding has none."""
    source, weight, bias = node.inputs
    kernel, size = graph.weights[weight], node.numbers["kernel_shape"][0]
    stride = node.numbers["strides"][0]
    if source == "input":
        kernel = kernel[:, ::-1]  # RGB in place of BGR
    padding = "valid" if size == 1 else "same"
    if size > 1 and stride > 1:
        values, padding = _layers().ZeroPadding2D(node.numbers["pads"][0])(values), "valid"
    if node.numbers["group"][0] > 1:
        layer, order = _layers().DepthwiseConv2D(size, stride, padding), (2, 3, 0, 1)
    else:
        layer, order = _layers().Conv2D(len(kernel), size, stride, padding), (2, 3, 1, 0)
    result = layer(values)
    layer.set_weights([np.ascontiguousarray(kernel.transpose(order)), graph.weights[bias]])
    return result


def _layers() -> Any:
    import keras

    return keras.layers
