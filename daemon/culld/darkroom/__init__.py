"""Where photos are looked at: the desk of a worker process, what it is asked, and the door to it from the daemon."""

from culld.darkroom.door import DarkroomDoor, open_darkroom
from culld.darkroom.requests import CareRequest, DarkroomSettings, ReadRequest

__all__ = ["CareRequest", "DarkroomDoor", "DarkroomSettings", "ReadRequest", "open_darkroom"]
