"""Files that a request brings: multipart/form-data, held in memory, since nothing of them may stay."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect

from culld.web.problems import ProblemError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.requests import Request

MOST_BYTES: Final = 128 << 20
"""The largest body of a request that brings files."""
_NAMELESS = "photo"


@dataclass(frozen=True, slots=True)
class Upload:
    """A file of a request: its name without folders, and its bytes."""

    name: str
    data: bytes


class _InMemory(MultiPartParser):
    """Keeps every file in memory, where the parser of Starlette writes one of more than 1 MB into a folder."""

    spool_max_size = MOST_BYTES


async def uploads(request: Request, fields: Sequence[str]) -> tuple[Upload, ...]:
    """Return the files of a form, one in each of these fields, in their order.

    Raises ProblemError: 400 for a body that is no form, that ends too early, or lacks a field.
    """
    try:
        form = await _InMemory(request.headers, request.stream(), max_files=len(fields), max_fields=0).parse()
    except (MultiPartException, HTTPException, KeyError) as error:  # KeyError: a type without a boundary
        raise ProblemError(400, f"The body is no form with the files {_listed(fields)}.") from error
    except ClientDisconnect as error:
        raise ProblemError(400, "The connection was closed before the whole form had come.") from error
    try:
        return tuple([await _upload(form.getlist(name), name) for name in fields])
    finally:
        await form.close()


async def _upload(given: Sequence[UploadFile | str], name: str) -> Upload:
    if len(given) != 1 or not isinstance(given[0], UploadFile):
        raise ProblemError(400, f"The form needs one file in the field {name}.")
    shown = (given[0].filename or "").replace("\\", "/").rsplit("/", 1)[-1]
    return Upload(shown or _NAMELESS, await given[0].read())


def _listed(fields: Sequence[str]) -> str:
    return " and ".join(fields)
