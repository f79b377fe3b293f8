"""What the web process asks its workers for; the module loads no decoder, so that the web process stays small."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from culld.errors import PhotoError
    from culld.records import RootedPath
    from culld.web.heat import HeatMaker
    from culld.web.pictures import PictureWorker
    from culld.web.regions import RegionsMaker


@dataclass(frozen=True, slots=True)
class SizesRequest:
    """Asks for the photo reduced to some lengths of the longer side in pixels, all from one decode, as JPEG."""

    place: RootedPath
    lengths: tuple[int, ...]

    def handle(self, worker: PictureWorker) -> list[bytes] | PhotoError:
        """Return the pictures in the order of the lengths."""
        return worker.sizes(self.place, self.lengths)


@dataclass(frozen=True, slots=True)
class CropRequest:
    """Asks for a part of the photo in full resolution, as JPEG; see `pictures.Box`."""

    place: RootedPath
    box: tuple[int, int, int, int]

    def handle(self, worker: PictureWorker) -> list[bytes] | PhotoError:
        """Return the picture, alone in a list."""
        return worker.crop(self.place, self.box)


@dataclass(frozen=True, slots=True)
class HeatRequest:
    """Asks where the network sees a defect, `blur`, `under` or `over`."""

    place: RootedPath
    head: str

    def handle(self, worker: PictureWorker) -> list[bytes] | PhotoError:
        """Return the map as PNG, and logit and probability as JSON."""
        return worker.explain(self.place, self.head)


@dataclass(frozen=True, slots=True)
class MapRequest:
    """Asks for a map over the photo, `clipping` or `sharpness`, as PNG."""

    place: RootedPath
    head: str

    def handle(self, worker: PictureWorker) -> list[bytes] | PhotoError:
        """Return the map, alone in a list."""
        return worker.map(self.place, self.head)


@dataclass(frozen=True, slots=True)
class RegionsRequest:
    """Asks for the regions of the photo with a defect, as JSON."""

    place: RootedPath

    def handle(self, worker: PictureWorker) -> list[bytes] | PhotoError:
        """Return the regions, alone in a list."""
        return worker.regions(self.place)


PictureRequest = SizesRequest | CropRequest | MapRequest | HeatRequest | RegionsRequest
"""Every request for a picture."""


def worker_factory(
    pixels: int,
    file_size: int,
    create_heat: Callable[[], HeatMaker] | None,
    create_regions: Callable[[], RegionsMaker] | None,
) -> PictureWorker:
    """Return the handler of a worker, whose process yields to every other one.

    Photos of more than this many pixels or bytes are refused; `create_heat` and `create_regions` are called at the
    first request that needs them.
    """
    from culld.web.pictures import PictureWorker  # noqa: PLC0415 (only a worker loads the decoders)

    os.nice(19)
    return PictureWorker(pixels, file_size, create_heat, create_regions)
