"""Repair of a wrong exposure: a tone curve predicted from a thumbnail, for the photo in full resolution.

`imaging.tone_curve.apply` puts the curve on a decoded photo, `imaging.raw.develop_corrected` on the data of a sensor.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from PIL import Image

from culld.imaging.decode import shrunk, to_network_frame
from culld.imaging.tone_curve import ToneCurve, apply, luma
from culld.inference.litert import LiteRtNetwork
from culld.inference.network import ArraySpec, Signature

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from culld.inference.network import Network

    Pixels = NDArray[np.uint8]

SIZE: Final = (256, 192)
"""The (width, height) of the thumbnail that the network takes."""
CLIPPED: Final = 250
"""The luma from which a pixel counts as clipped: JPEG leaves few clipped areas at 255."""
_THUMBNAIL, _CURVE = "thumbnail", "curve"
TONE_NETWORK: Final = Signature(
    inputs={_THUMBNAIL: ArraySpec((SIZE[1], SIZE[0], 3), "uint8")}, outputs={_CURVE: ArraySpec((2,), "float32")}
)
"""RGB thumbnails, a portrait turned by 90 degrees; the stops and the shoulder of a tone curve."""
MOST_STOPS: Final = 4.0
"""The limit of a lift, in EV: the noise of dark tones grows 16 times in linear light at most."""


def open_tone_network(model: Path, threads: int = 1) -> LiteRtNetwork:
    """Load a tone network; raises SystemFaultError if it is not a network of the signature `TONE_NETWORK`."""
    return LiteRtNetwork(model, TONE_NETWORK, threads)


def thumbnail_of(pixels: Pixels) -> Pixels:
    """Return uint8 RGB pixels (height, width, 3) with the longer side reduced to 256 pixels."""
    return shrunk(pixels, SIZE[0])


def clipped_share(pixels: Pixels) -> float:
    """Return the share 0..1 of uint8 RGB pixels (height, width, 3) whose luma is `CLIPPED` or more: nothing is there.

    A darker curve turns what is just below white into grey, which lowers the score of over-exposure and shows no more:
    where much is clipped, a repair is not worth its copy.
    """
    return float(np.mean(luma(pixels) >= CLIPPED))


def predict_curve(thumbnail: Pixels, network: Network) -> ToneCurve:
    """Return the curve that repairs the exposure of a photo, by its thumbnail: uint8 RGB (height, width, 3).

    The curve lifts by `MOST_STOPS` at most; it is nearly neutral for a photo that needs no repair.
    """
    frame = to_network_frame(Image.fromarray(thumbnail), SIZE)
    stops, shoulder = map(float, network.run({_THUMBNAIL: frame[None]})[_CURVE][0])
    return ToneCurve(min(stops, MOST_STOPS), shoulder)


def repair_exposure(pixels: Pixels, network: Network) -> tuple[Pixels, ToneCurve]:
    """Return a photo, uint8 RGB (height, width, 3), with its exposure repaired, and the curve that did it."""
    curve = predict_curve(thumbnail_of(pixels), network)
    return apply(pixels, curve), curve
