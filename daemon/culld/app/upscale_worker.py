"""The handler in the worker process of `POST /upscale`: it decodes a picture, repairs it, and encodes it again."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from culld.app.upscale_messages import MOST_PIXELS, SECONDS_A_TILE, Refusal, Upscaled
from culld.enhance.gain import FINE_QUALITY, gain, load_rule
from culld.enhance.jpeg_quality import estimated_quality
from culld.enhance.restore import open_restoration, restore
from culld.errors import PhotoError
from culld.imaging.image_file import UnreadableError
from culld.imaging.repairable import doubled, encoded, open_repairable, require_holds
from culld.inference.card import load_card
from culld.inference.litert import silence_stderr

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from culld.app.upscale_messages import UpscaleRequest, UpscaleSettings

    Pixels = NDArray[np.uint8]

_ROWS: Final = 256
_TOO_LARGE: Final = "it needs more memory than limits.memory allows: send a smaller one"


class UpscaleWorker:
    """The `UpscaleHandler` of the worker process; not to be shared between threads."""

    def __init__(self, settings: UpscaleSettings) -> None:
        """Load the network and its rule of the gain; raises SystemFaultError if one of them cannot be used."""
        self._settings = settings
        self._rule = load_rule(settings.model)
        self._model = load_card(settings.model).id
        with silence_stderr():
            self._network = open_restoration(settings.model)
        self._side = next(iter(self._network.signature.inputs.values())).shape[0]

    def upscale(self, request: UpscaleRequest) -> Upscaled | Refusal:
        """Repair a picture; a picture that cannot be repaired is refused in words."""
        try:
            return self._upscaled(request)
        except UnreadableError as error:
            return Refusal(str(error), is_picture=False)
        except PhotoError as error:
            return Refusal(str(error), is_picture=True)
        except MemoryError:
            return Refusal(_TOO_LARGE, is_picture=True)

    def _upscaled(self, request: UpscaleRequest) -> Upscaled:
        if len(request.data) > self._settings.file_size:
            raise PhotoError(f"its {len(request.data)} bytes are more than limits.file_size allows")
        most = min(self._settings.pixels, MOST_PIXELS // request.scale**2)
        picture = open_repairable(request.data, most, self._side)
        format_ = request.format or picture.format
        require_holds(picture, format_, request.scale)
        quality = estimated_quality(picture.tables) if request.quality is None else request.quality
        pixels = self._repaired(picture.pixels, quality, request.strength)
        if request.scale == 2:
            pixels = self._doubled(pixels, request.strength)
        is_changed = pixels is not picture.pixels and request.strength > 0
        is_as_sent = pixels is picture.pixels and format_ is picture.format
        picture = replace(picture, pixels=pixels)  # what came is not held in memory while the answer is encoded
        data = request.data if is_as_sent else encoded(picture, pixels, format_)
        return Upscaled(data, format_, quality, self._model, is_changed)

    def _repaired(self, pixels: Pixels, quality: int | None, strength: float) -> Pixels:
        """Return the repaired pixels; the same array if the repair is no real gain.

        The rule judges the whole repair, for which it was fitted. A part of it is closer to the original as well: the
        squared error of a blend is at most the blend of both errors.
        """
        if strength == 0.0 or (quality is not None and quality >= FINE_QUALITY):
            return pixels
        found = restore(pixels, self._network, _limit(self._settings.seconds))
        if not gain(pixels, found, quality, self._rule).is_real:
            return pixels
        return found if strength == 1.0 else blended(pixels, found, strength)

    def _doubled(self, pixels: Pixels, strength: float) -> Pixels:
        """Return the pixels with both sides doubled by Lanczos, then by the network.

        On 30 photos of the test that were halved, both steps of the network brought the result 1.0 dB closer to the
        photo than Lanczos alone at quality 10 and 0.4 at 50; each step alone brought less. Without compression the
        second step changes nothing that counts (0.01 dB).
        """
        return restore(doubled(pixels), self._network, _limit(self._settings.seconds), strength)


def blended(before: Pixels, after: Pixels, strength: float) -> Pixels:
    """Blend pixels, uint8 of one shape, from `before` (strength 0) to `after` (1), in the memory of `after`."""
    for top in range(0, len(after), _ROWS):
        rows = slice(top, top + _ROWS)
        old = before[rows].astype(np.float32)
        after[rows] = np.rint(old + np.float32(strength) * (after[rows] - old))
    return after


def _limit(seconds: float) -> Callable[[int, int], None]:
    """Return a function for the progress of a repair; it raises PhotoError if the processor time is used up.

    Processor time, since this process yields to all others: on a busy machine a repair takes longer, and is no worse.
    """
    begun = time.process_time()

    def check(done: int, total: int) -> None:
        allowed = seconds + SECONDS_A_TILE * total
        if done < total and time.process_time() - begun > allowed:
            raise PhotoError(f"its repair needs more than {allowed:.0f} s (limits.time): send a smaller one")

    return check
