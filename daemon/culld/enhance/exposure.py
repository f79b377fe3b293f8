"""Repair of a wrong exposure: a tone curve chosen by a thumbnail, for the photo in full resolution.

A network predicts the curve of a dark photo. A bright one gets a gain: on 83 over-exposed pictures of the calibration
it is as near to the right exposure as the network, and takes more of them below their threshold (19 % and 11 %).

`imaging.tone_curve.apply` puts the curve on a decoded photo, `imaging.raw.develop_corrected` on the data of a sensor.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from PIL import Image

from culld.imaging.decode import shrunk, to_network_frame
from culld.imaging.tone_curve import ToneCurve, apply, luma, to_linear
from culld.inference.litert import LiteRtNetwork
from culld.inference.network import ArraySpec, Signature
from culld.records import Defect

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


DARKENING: Final = "gain-to-grey-1"
"""The name under which the gain for bright photos is noted in a copy, where others have the id of a network."""
_GREY: Final = 0.14
"""The logarithmic mean of linear light, 0..1, that the gain aims at; the best on the scenes of the calibration."""
_SHOULDER: Final = 3.0
_BLACK: Final = 0.002
"""Added to linear light before its logarithm, so that black pixels do not count without end."""


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


def darkening_curve(thumbnail: Pixels) -> ToneCurve:
    """Return the curve that brings the logarithmic mean of the light of a photo down to grey, by `MOST_STOPS` at most.

    The photo is given by its thumbnail, uint8 RGB (height, width, 3); one that is darker already is left as it is.
    """
    light = to_linear(luma(thumbnail) / 255)
    stops = float(np.log2(_GREY / np.exp(np.log(light + _BLACK).mean())))
    return ToneCurve(float(np.clip(stops, -MOST_STOPS, 0.0)), _SHOULDER)


def repairing_curve(thumbnail: Pixels, defect: Defect, network: Network) -> ToneCurve:
    """Return the curve that repairs a photo that is over-exposed (`Defect.OVER`), or under-exposed (any other)."""
    return darkening_curve(thumbnail) if defect is Defect.OVER else predict_curve(thumbnail, network)


def repair_exposure(pixels: Pixels, defect: Defect, network: Network) -> Pixels:
    """Return a photo, uint8 RGB (height, width, 3), with its exposure repaired."""
    return apply(pixels, repairing_curve(thumbnail_of(pixels), defect, network))
