"""Export of a defect network for explanations: a LiteRT graph from a frame to its levels, and the heads as arrays.

The heads are small, so NumPy computes their gradients: neither TensorFlow nor a gradient inside LiteRT is needed at run
time. Kernels keep the half precision in which the network was trained, so that no value changes.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
from typing import TYPE_CHECKING, Any

import numpy as np

from culld.errors import ConfigError
from culld.records import NETWORK_DEFECTS
from culld.records.frame import HEIGHT, WIDTH
from culld.training.experiment import Experiment, load_recipe
from culld.training.export import load_keras, store_float16

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    Pools = Mapping[str, list[tuple[str, int, int]]]

GRAPH_FILE, HEADS_FILE = "explain.tflite", "explain.npz"

_LEVELS = {"stem": (0, 1), "early": (2, 3), "middle": (4,), "late": (5,)}
_FULL = ("mean", "deviation", "peak")
_GROUPS = ("light", "grid")
"""Groups that are computed from pixels; as levels they need no network."""


def write_explanation(folder: Path, levels: Sequence[str]) -> dict[str, str]:
    """Write both files beside the Keras model of a folder, with these levels; return their SHA-256 in hex by name.

    Levels of brightness, which need no network, may be among them. Raises ConfigError if the model has no such levels.
    """
    experiment = load_recipe(folder / "train.yaml")
    if not isinstance(experiment, Experiment):
        raise ConfigError((f"{folder}: a network of two stages has no levels",))
    if missing := [level for level in levels if level in _GROUPS and level not in experiment.groups]:
        raise ConfigError((f"{folder}: no head reads {', '.join(missing)}",))
    model, levels = load_keras(folder), [level for level in levels if level not in _GROUPS]
    write_graph(levels_model(model, levels), folder / GRAPH_FILE)
    np.savez_compressed(folder / HEADS_FILE, allow_pickle=False, **heads_arrays(model, experiment))
    return {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in (GRAPH_FILE, HEADS_FILE)}


def levels_model(model: Any, levels: Sequence[str] | None = None) -> Any:
    """Return the Keras model from pixels 0..255 to `features` and these levels (None: all), by name.

    A level is an output of the backbone from which features are pooled, such as `full_3`. Raises ConfigError for
    another name.
    """
    import keras

    features = model.get_layer("features")
    found = {
        f"{name.removeprefix('trunk_')}_{number}": output
        for name in (layer.name for layer in features.layers if layer.name.startswith("trunk_"))
        for number, output in enumerate(features.get_layer(name)._inbound_nodes[-1].output_tensors)  # noqa: SLF001 (Keras offers no other way to the outputs of a model inside a model)
    }
    wanted = found if levels is None else {name: output for name, output in found.items() if name in levels}
    if levels is not None and (missing := [name for name in levels if name not in found]):
        raise ConfigError((f"the network has no level {', '.join(missing)}; it has {', '.join(found) or 'none'}",))
    return keras.Model(features.inputs[0], {"features": features.outputs[0], **wanted}, name="levels")


def heads_arrays(model: Any, experiment: Experiment) -> dict[str, NDArray[Any]]:
    """Return the arrays of `HEADS_FILE`: a JSON text of the layout, and kernels, biases, norms and calibration."""
    heads = model.get_layer("heads")
    members = [layer for layer in heads.layers if hasattr(layer, "layers")] or [heads]
    sizes = _group_sizes(levels_model(model), experiment)
    starts = dict(zip(sizes, np.cumsum([0, *sizes.values()]).tolist(), strict=False))
    columns = {
        defect.value: [(starts[group], starts[group] + sizes[group]) for group in groups]
        for defect, groups in experiment.inputs.items()
    }
    layout = {
        "columns": columns,
        "pools": _pools(levels_model(model), starts),
        "groups": starts,
        "members": len(members),
    }
    calibrated = model.get_layer("calibrated")
    arrays: dict[str, NDArray[Any]] = {
        "layout": np.frombuffer(json.dumps(layout).encode(), np.uint8),
        "scale": np.asarray(calibrated.scale, np.float32),
        "offset": np.asarray(calibrated.offset, np.float32),
    }
    for number, member in enumerate(members):
        arrays |= {f"{number}/{name}": array for name, array in _member_arrays(member).items()}
    return arrays


def _member_arrays(member: Any) -> dict[str, NDArray[Any]]:
    normed = member.get_layer("normed")
    spread = np.sqrt(np.asarray(normed.variance)[0])
    found = {"mean": np.asarray(normed.mean)[0], "deviation": np.maximum(spread, np.float32(1e-7))}
    for defect in NETWORK_DEFECTS:
        names = [layer.name for layer in member.layers if type(layer).__name__ == "Dense"]
        hidden = sorted(name for name in names if name.startswith(f"{defect}_"))
        for place, name in enumerate([*hidden, f"logit_{defect}"]):
            kernel, bias = member.get_layer(name).get_weights()
            found |= {f"{defect}/{place}/kernel": _smallest(kernel), f"{defect}/{place}/bias": bias}
    return found


def _smallest(kernel: NDArray[np.float32]) -> NDArray[Any]:
    """Return the kernel in half precision if that changes no value."""
    half = kernel.astype(np.float16)
    return half if np.array_equal(half.astype(np.float32), kernel) else kernel


def _group_sizes(levels: Any, experiment: Experiment) -> dict[str, int]:
    """Return the length of each group of features, in their order."""
    outputs = levels.output
    channels = {name: int(output.shape[-1]) for name, output in outputs.items() if name != "features"}
    full = sum(count for name, count in channels.items() if name.startswith("full_"))
    sizes: dict[str, int] = {}
    for group in experiment.groups:
        if group in _FULL:
            sizes[group] = full
        elif group == "grid":
            sizes[group] = 4 * 6 * 8
        elif group != "light":
            part, size = group.split("_")
            pooled = 2 if part in {"stem", "early"} else 1
            sizes[group] = pooled * sum(channels[f"{size}_{number}"] for number in _numbers(part, size, experiment))
    if "light" in experiment.groups:
        light = int(outputs["features"].shape[1]) - sum(sizes.values())
        sizes = {group: sizes.get(group, light) for group in experiment.groups}
    return sizes


def _numbers(part: str, size: str, experiment: Experiment) -> tuple[int, ...]:
    """Return the numbers of a part's levels among those that the experiment uses at this size."""
    used = [each for each in _LEVELS if f"{each}_{size}" in experiment.groups]
    before = sum(len(_LEVELS[each]) for each in used[: used.index(part)])
    return tuple(range(before, before + len(_LEVELS[part])))


def _pools(levels: Any, starts: Mapping[str, int]) -> Pools:
    """Return for each level how it is pooled: the way, and the slice (start, end) of the features."""
    channels = {name: int(output.shape[-1]) for name, output in levels.output.items() if name != "features"}
    pools: dict[str, list[tuple[str, int, int]]] = {name: [] for name in channels}
    for group, start in starts.items():
        place = start
        if group in _FULL:
            for name in sorted(name for name in channels if name.startswith("full_")):
                pools[name].append((group, place, place + channels[name]))
                place += channels[name]
        elif group not in _GROUPS:
            part, size = group.split("_")
            present = [each for each in _LEVELS if f"{each}_{size}" in starts]
            first = sum(len(_LEVELS[each]) for each in present[: present.index(part)])
            for number in range(first, first + len(_LEVELS[part])):
                name = f"{size}_{number}"
                for way in ("mean", "deviation") if part in {"stem", "early"} else ("mean",):
                    pools[name].append((way, place, place + channels[name]))
                    place += channels[name]
    return pools


def write_graph(model: Any, path: Path) -> None:
    """Convert to LiteRT with uint8 (1, height, width, 3) as input `frame`, and outputs by their names."""
    import keras
    import tensorflow as tf

    frame = keras.Input(batch_shape=(1, HEIGHT, WIDTH, 3), dtype="uint8", name="frame")
    whole = keras.Model(frame, model(keras.ops.cast(frame, "float32")))
    with contextlib.redirect_stdout(io.StringIO()):  # Keras prints every variable it exports
        path.write_bytes(tf.lite.TFLiteConverter.from_keras_model(whole).convert())
    store_float16(path)
