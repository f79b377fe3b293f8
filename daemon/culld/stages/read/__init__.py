"""Where photos are looked at: the desk of a worker process, what it is asked, and the door to it from the daemon."""

from culld.stages.read.messages import CareRequest, DarkroomSettings, ReadRequest
from culld.stages.read.reader import DarkroomDoor, open_darkroom

__all__ = ["CareRequest", "DarkroomDoor", "DarkroomSettings", "ReadRequest", "open_darkroom"]
