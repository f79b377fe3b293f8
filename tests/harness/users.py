"""Root without the right to pass over the modes of other users' files, so that a test may lock culld out."""

from __future__ import annotations

import os
import shutil
from typing import Final

import pytest

AS_ANY_USER: Final = ("setpriv", "--bounding-set=-dac_override,-dac_read_search")
"""What to put before a command (capabilities(7)); Python and culld may lie in a folder that only root can enter."""

needs_setpriv = pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("setpriv") is None, reason="needs root and setpriv, to give up rights"
)
