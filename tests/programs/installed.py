"""The programs of the tables, and the Debian packages that bring them."""

from __future__ import annotations

import os
import shutil
import subprocess

from programs import digikam, display
from programs.darktable import Darktable
from programs.exiftool import ExifTool
from programs.exiv2 import Exiv2
from programs.geeqie import Geeqie
from programs.gthumb import GThumb
from programs.imagemagick import ImageMagick
from programs.libvips import LibVips
from programs.rawtherapee import RawTherapee
from programs.reader import Reader
from programs.shotwell import Shotwell
from programs.tracker import Tracker

READERS: tuple[Reader, ...] = (
    Darktable(),
    digikam.Reader(sidecars=True),
    digikam.Reader(sidecars=False),
    Geeqie(),
    GThumb(),
    Shotwell(),
    RawTherapee(),
    Tracker(),
    ExifTool(),
    Exiv2(),
    LibVips(),
    ImageMagick(),
)

_SCREEN = "xvfb xdotool dbus-daemon"


def missing() -> list[str]:
    """Return the programs that are needed and not installed."""
    needed = dict.fromkeys([reader.program for reader in READERS])
    return [name for name in dict.fromkeys([*needed, *display.NEEDED]) if shutil.which(name) is None]


def apt_line() -> str:
    """Return the command that installs all of them on Debian."""
    packages = sorted({name for reader in READERS for name in reader.package.split()} | set(_SCREEN.split()))
    return f"apt-get install -y --no-install-recommends {' '.join(packages)}"


def install() -> None:
    """Install what is missing where this process may; what could not be installed is missing afterwards."""
    if missing() and os.geteuid() == 0 and shutil.which("apt-get"):
        print(f"installing: {apt_line()}", flush=True)
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for command in (["apt-get", "update", "-q"], apt_line().split()):
            subprocess.run(command, env=environment, check=False, stdout=subprocess.DEVNULL)
