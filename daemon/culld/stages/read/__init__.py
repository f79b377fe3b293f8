"""Reading photos: the reader in the daemon, the worker in its own process, and the messages between them."""

from culld.stages.read.messages import DraftRequest, ReadRequest, UserMetadataRequest, WorkerSettings
from culld.stages.read.reader import PoolReader, create_worker, nothing_known, read_ahead

__all__ = [
    "DraftRequest",
    "PoolReader",
    "ReadRequest",
    "UserMetadataRequest",
    "WorkerSettings",
    "create_worker",
    "nothing_known",
    "read_ahead",
]
