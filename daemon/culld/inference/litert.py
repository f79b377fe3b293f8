"""Networks on the CPU; the only module that imports LiteRT, and it does so only when a network is opened."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import TYPE_CHECKING, Any

import numpy as np

from culld.errors import SystemFaultError
from culld.inference.network import ArraySpec, Signature, match_names, run_one_by_one

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from culld.inference.network import Arrays

    Details = Mapping[str, Mapping[str, Any]]


class LiteRtNetwork:
    """A `Network` from a LiteRT file that takes one example at a time; not to be shared between threads."""

    def __init__(self, model: Path, wanted: Signature | None = None, threads: int = 1) -> None:
        """Load the file with LiteRT's own kernels (XNNPACK).

        With `wanted` its arrays get those names. Raises SystemFaultError if the file cannot be loaded or fails on an
        example of zeros, or if its inputs or outputs are not those `wanted`.
        """
        try:
            from ai_edge_litert.interpreter import Interpreter
        except ImportError as error:
            raise SystemFaultError("LiteRT cannot be loaded: run `pip install ai-edge-litert`") from error
        try:
            self._interpreter = Interpreter(str(model), num_threads=threads)
            self._interpreter.allocate_tensors()
        except (ValueError, RuntimeError, OSError) as error:
            raise SystemFaultError(f"{model}: LiteRT cannot load the model ({error})") from error
        inputs_found, outputs_found = _details(self._interpreter)
        inputs, outputs = _specs(inputs_found, model), _specs(outputs_found, model)
        self.signature = wanted or Signature(inputs, outputs)
        sources = match_names(self.signature.inputs, inputs, f"{model}: the model takes")
        targets = match_names(self.signature.outputs, outputs, f"{model}: the model gives")
        self._inputs = {name: inputs_found[source]["index"] for name, source in sources.items()}
        self._outputs = {name: outputs_found[target]["index"] for name, target in targets.items()}
        try:
            self._run({name: np.zeros((1, *spec.shape), spec.dtype) for name, spec in self.signature.inputs.items()})
        except (ValueError, RuntimeError) as error:
            raise SystemFaultError(f"{model}: the model fails on an example of zeros ({error})") from error

    def run(self, arrays: Arrays) -> dict[str, NDArray[Any]]:
        """Return the outputs for the inputs of n examples, computed one after the other.

        Raises ValueError for arrays of another shape or type than those of the signature.
        """
        return run_one_by_one(self.signature.inputs, arrays, self._run)

    def _run(self, arrays: Arrays) -> dict[str, NDArray[Any]]:
        for name, index in self._inputs.items():
            self._interpreter.set_tensor(index, arrays[name])
        self._interpreter.invoke()
        return {name: self._interpreter.get_tensor(index) for name, index in self._outputs.items()}


def _details(interpreter: Any) -> tuple[Details, Details]:
    """Return LiteRT's details of each input and output, by the names of the file's signature if it has one."""
    if interpreter.get_signature_list():
        runner = interpreter.get_signature_runner()
        return runner.get_input_details(), runner.get_output_details()
    inputs_found, outputs_found = interpreter.get_input_details(), interpreter.get_output_details()
    return {each["name"]: each for each in inputs_found}, {each["name"]: each for each in outputs_found}


def _specs(details: Details, model: Path) -> dict[str, ArraySpec]:
    """Return the arrays of a file for one example; raises SystemFaultError if its batch size is not 1."""
    specs = {}
    for name, each in details.items():
        count, *shape = [int(side) for side in each["shape"]] or [0]
        if count != 1:
            raise SystemFaultError(f"{model}: `{name}` is not for one example at a time, but for {count}")
        specs[name] = ArraySpec(tuple(shape), np.dtype(each["dtype"]).name)
    return specs


@contextlib.contextmanager
def silence_stderr() -> Iterator[None]:
    """Discard the messages about delegates that LiteRT writes to stderr at its start; its errors are exceptions.

    The stderr of the whole process is discarded, so this is for single-threaded processes only.
    """
    sys.stderr.flush()
    saved, devnull = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(devnull, 2)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(devnull)
