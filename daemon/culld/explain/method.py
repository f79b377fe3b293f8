"""The methods of heat maps; this module imports no NumPy, since the command line lists them."""

from __future__ import annotations

from enum import StrEnum


class Method(StrEnum):
    """How a level of the network and the gradient of a logit become a map; the first one is the default."""

    HIRESCAM = "hirescam"
    GRADCAM = "gradcam"
    GRADCAM_PP = "gradcam++"
