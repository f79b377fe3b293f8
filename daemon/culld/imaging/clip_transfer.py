"""The transfer characteristics of a clip: whether its levels are SDR, HLG, PQ or a log profile of a camera."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, BinaryIO, Final

from culld.records.clips import Transfer

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_BY_CODE: Final = {9: Transfer.LOG, 10: Transfer.LOG, 16: Transfer.PQ, 18: Transfer.HLG}
"""The codes of ITU-T H.273, table 3: two plain logarithms, SMPTE ST 2084, and ARIB STD-B67."""
_LOG_NAME: Final = re.compile(
    r"(s-?log ?[23]?|c-?log ?[23]?|canon ?log ?[23]?|v-?log( ?l)?|n-?log|f-?log ?2?c?|d-?log( ?-?m)?|l-?log|i-?log|"
    r"apple ?log ?2?|log ?c ?[34]?|gp-?log|j-?log ?1?|blackmagic design film|red ?log( ?3g10|film)?)([- ]?cine)?",
    re.IGNORECASE,
)
"""The names of the log profiles of cameras, as the whole value of a key."""
_ABOUT_TRANSFER: Final = re.compile(
    r"gamma|transfer|colou?r.?(mode|profile|space)|picture.?(profile|style)|look", re.IGNORECASE
)
_GAMMA_IN_XML: Final = re.compile(
    rb'(?:CaptureGammaEquation|GammaEquation|LogProfile)["\']?[^<>]{0,40}?["\'>]([A-Za-z0-9 .-]{2,24})["\'<]'
)
"""Sony's cameras (NonRealTimeMeta) and others write it as XML behind or before the frames."""
_GAMMA_NAMES: Final = {"hlg": Transfer.HLG, "rec2100-hlg": Transfer.HLG, "pq": Transfer.PQ, "rec2100-pq": Transfer.PQ}
_EDGE: Final = 256 << 10


def transfer_of(code: int, metadata: Iterable[Mapping[str, str]], stream: BinaryIO) -> Transfer:
    """Return the transfer of a clip by its code of H.273, then by the metadata of its container, then by XML in it.

    The XML is searched in the first and the last 256 KiB of the file. Without a sign of another one it is SDR.
    """
    if code in _BY_CODE:
        return _BY_CODE[code]
    for each in metadata:
        for key, value in each.items():
            if (found := _named(value)) is not None and _ABOUT_TRANSFER.search(key):
                return found
    return _transfer_in_xml(stream)


def _named(value: str) -> Transfer | None:
    name = value.strip()
    return Transfer.LOG if _LOG_NAME.fullmatch(name) else _GAMMA_NAMES.get(name.lower())


def _transfer_in_xml(stream: BinaryIO) -> Transfer:
    size = stream.seek(0, os.SEEK_END)
    for start in (0, max(0, size - _EDGE)):
        stream.seek(start)
        for found in _GAMMA_IN_XML.findall(stream.read(_EDGE)):
            if (transfer := _named(found.decode("ascii"))) is not None:
                return transfer
    return Transfer.SDR
