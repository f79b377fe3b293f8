"""The file name extensions that culld supports with the installed decoders."""

from __future__ import annotations

import importlib.util

from culld.imaging.formats import EXTENSIONS, JXL_EXTENSION, RAW_EXTENSIONS


def supported_extensions() -> frozenset[str]:
    """Return the supported extensions in lower case; those of RAW and JPEG XL only if their extras are installed."""
    extensions = EXTENSIONS if importlib.util.find_spec("pillow_jxl") else EXTENSIONS - {JXL_EXTENSION}
    return extensions | RAW_EXTENSIONS if importlib.util.find_spec("rawpy") else extensions
