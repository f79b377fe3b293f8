"""Where photos are looked at: the desk of a worker process, what it is asked, and the door to it from the daemon."""

from culld.stages.read.messages import DraftRequest, ReadRequest, UserMetadataRequest, WorkerSettings
from culld.stages.read.reader import PoolReader, create_worker

__all__ = ["DraftRequest", "PoolReader", "ReadRequest", "UserMetadataRequest", "WorkerSettings", "create_worker"]
