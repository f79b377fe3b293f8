"""The selection of the engine, and the worker processes that run it."""

from __future__ import annotations

import contextlib
import functools
import logging
import math
import os
from typing import TYPE_CHECKING, Final

from culld.app.model_files import load_model, locate_face_networks, locate_shipped
from culld.errors import SystemFaultError
from culld.inference.card import KERAS_FILE, MODEL_FILE
from culld.inference.deferred import MAX_AHEAD
from culld.inference.engine_selection import GPUS, select_engine
from culld.inference.gpu_process import ANSWER_TIMEOUT_S, GpuProcess
from culld.inference.pool import PATIENCE_S, Pool
from culld.inference.worker_process import WorkerLimits
from culld.records import EngineKind, display_path
from culld.stages.read import WorkerSettings, create_worker
from culld.system.doctor.environment import has_module

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from culld.config import Config
    from culld.inference.batch_server import BatchNetwork
    from culld.inference.engine_selection import EngineChoice

log = logging.getLogger(__name__)

_MOST_DECODERS: Final = 32
"""The maximum number of workers if the network runs on a GPU."""
_QUEUED_BATCHES: Final = 2
"""So many batches of photos are decoded ahead: one is on the GPU, and the next one is collected meanwhile."""


def engine_for(config: Config, folder: Path) -> EngineChoice:
    """Return the engine that runs the model of a folder, with the reason."""
    return select_engine(
        config.model.engine,
        [device for device in GPUS if device.exists()],
        has_tensorflow=has_module("tensorflow"),
        has_keras_model=(folder / KERAS_FILE).is_file(),
    )


@contextlib.contextmanager
def open_pool(config: Config, *, patient: bool = False) -> Iterator[Pool]:
    """Start the worker processes, and the process that runs TensorFlow if it is the engine; they end with the context.

    A `patient` pool waits without limit until the system can start a process again. Raises SystemFaultError if the
    model cannot be used. If only TensorFlow cannot be used, a warning is logged, and LiteRT runs the model.
    """
    folder, card = load_model(config.model.path)
    with contextlib.ExitStack() as stack:
        gpu = _tensorflow(config, folder, stack)
        settings = WorkerSettings(
            folder / MODEL_FILE,
            card.id,
            config.limits.pixels,
            config.limits.file_size,
            None if gpu is None else gpu.address,
            locate_face_networks(),
            config.limits.time.total_seconds(),
            _segmentation(),
        )
        count = config.worker_count if gpu is None else _decoders(config)
        engine = EngineKind.LITERT if gpu is None else EngineKind.TENSORFLOW
        ahead = 0 if gpu is None else decoded_ahead(gpu.largest, count)
        limits = WorkerLimits(config.limits.memory, config.limits.time.total_seconds(), ahead)
        log.info("model %s in %s, engine %s, %d workers", card.id, display_path(folder), engine, count)
        create, patience_s = functools.partial(create_worker, settings), math.inf if patient else PATIENCE_S
        yield stack.enter_context(Pool(create, count, limits, patience_s=patience_s))


def _segmentation() -> Path | None:
    """Return the folder of the segmentation network; None without one, which only rules about regions need."""
    try:
        return locate_shipped("segment")
    except SystemFaultError as error:
        log.warning("rules about regions of photos never hold: %s", error)
        return None


def _tensorflow(config: Config, folder: Path, stack: contextlib.ExitStack) -> GpuProcess | None:
    """Start the process that runs TensorFlow and return it; None if LiteRT is the engine."""
    choice = engine_for(config, folder)
    if choice.kind is not EngineKind.TENSORFLOW:
        if config.model.engine is EngineKind.TENSORFLOW:
            log.warning("photos are judged by LiteRT on the CPU: %s", choice.why)
        return None
    try:
        # A photo that cannot be sent must be judged by LiteRT before its own time is over.
        patience_s = max(1, min(ANSWER_TIMEOUT_S, int(config.limits.time.total_seconds() / 2)))
        open_network = functools.partial(_open_network, folder, config.batch.size)
        return stack.enter_context(GpuProcess(open_network, patience_s))
    except SystemFaultError as error:
        log.warning("photos are judged by LiteRT on the CPU: TensorFlow does not start: %s", error)
        return None


def decoded_ahead(batch: int, workers: int) -> int:
    """Return how many photos of each worker may wait for a GPU that takes batches of this size."""
    return min(math.ceil(_QUEUED_BATCHES * batch / workers), MAX_AHEAD)


def _open_network(folder: Path, largest: int) -> BatchNetwork:
    from culld.inference.tensorflow import TensorFlowNetwork  # noqa: PLC0415 (only the process of TensorFlow imports it)
    from culld.stages.read.scoring import DEFECT_NETWORK  # noqa: PLC0415 (loads NumPy)

    return TensorFlowNetwork(folder, DEFECT_NETWORK, largest=largest)


def _decoders(config: Config) -> int:
    """Return the number of workers that decode for a GPU: as configured, else one per CPU."""
    return config.workers or min(len(os.sched_getaffinity(0)), _MOST_DECODERS)
