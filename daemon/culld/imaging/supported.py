"""The files that culld judges, which depends on the decoders that are installed."""

from __future__ import annotations

import importlib.util

from culld.imaging.formats import EXTENSIONS, JXL_EXTENSION, RAW_EXTENSIONS


def supported_extensions() -> frozenset[str]:
    """Names, in lower case, of the files that are looked for; RAW and JPEG XL only with the extras of that name."""
    pictures = EXTENSIONS if importlib.util.find_spec("pillow_jxl") else EXTENSIONS - {JXL_EXTENSION}
    return pictures | RAW_EXTENSIONS if importlib.util.find_spec("rawpy") else pictures
