"""The routes that repair the picture of a request, at once or as a job; nothing of it is stored on a disk."""

from __future__ import annotations

import asyncio
import contextlib
import math
from typing import TYPE_CHECKING, Final

from starlette.requests import ClientDisconnect
from starlette.responses import Response

from culld.app.upscale_messages import Refusal, Upscaled, UpscaleRequest
from culld.imaging.formats import HEAD_BYTES, recognise
from culld.records import Format
from culld.web.answers import json_answer
from culld.web.problems import ProblemError
from culld.web.route_values import site_of
from culld.web.upload import MOST_BYTES, uploads
from culld.web.upscaling import RETRY_S

if TYPE_CHECKING:
    from starlette.requests import Request

    from culld.web.upscaling import Job, Upscaling

FORMATS: Final = (Format.JPEG, Format.PNG, Format.WEBP)
LOWEST_QUALITY, HIGHEST_QUALITY = 5, 95
_DRAIN_S: Final = 10.0
_ASYNC: Final = "respond-async"


async def upscale(request: Request) -> Response:
    """Answer with the repaired picture of a form; with `Prefer: respond-async` with the address of a job."""
    upscaling, wanted = site_of(request).upscaling, _wanted(request)
    job = await _place(request, upscaling)
    try:
        async with asyncio.timeout(upscaling.upload_s):
            (sent,) = await uploads(request, ("image",))
        if recognise(sent.data[:HEAD_BYTES]) not in FORMATS:
            raise ProblemError(415, "The file is no JPEG, PNG or WebP; send one of these.")
        task = upscaling.begin(job, UpscaleRequest(sent.data, *wanted))
    except TimeoutError as error:
        raise ProblemError(408, f"The form did not come within {upscaling.upload_s:g} s.") from error
    finally:
        if job.task is None:
            upscaling.give_back(job)
    if _prefers_job(request):
        return _accepted(upscaling.keep(job), job, {"Preference-Applied": _ASYNC})
    return _answer(await _finished(request, job, task))


async def result(request: Request) -> Response:
    """Answer with the picture of a job once; 202 until it is repaired."""
    upscaling, name = site_of(request).upscaling, request.path_params["job"]
    job = upscaling.kept(name)
    if job is None or job.task is None:
        raise ProblemError(404, "There is no such job; a finished one is given out once, and kept for ten minutes.")
    if not job.task.done():
        return _accepted(name, job)
    if request.method != "HEAD":
        upscaling.forget(name)
    return _answer(job.task.result())


def _wanted(request: Request) -> tuple[float, int | None, int, Format | None]:
    """Return strength, quality, scale and format of the query; raises ProblemError for other values."""
    given = request.query_params
    quality, scale, format_ = given.get("quality", "auto"), given.get("scale", "1"), given.get("format")
    if scale not in {"1", "2"}:
        raise ProblemError(422, "scale is 1 or 2.")
    if format_ not in {None, *FORMATS}:
        raise ProblemError(422, f"format is {', '.join(FORMATS)}.")
    if quality != "auto" and (
        not quality.isascii()
        or not quality.isdigit()
        or len(quality) > 2
        or not LOWEST_QUALITY <= int(quality) <= HIGHEST_QUALITY
    ):
        raise ProblemError(422, f"quality is auto, or {LOWEST_QUALITY} to {HIGHEST_QUALITY}.")
    return (
        _strength(given.get("strength", "1")),
        None if quality == "auto" else int(quality),
        int(scale),
        None if format_ is None else Format(format_),
    )


def _strength(text: str) -> float:
    strength = math.nan
    with contextlib.suppress(ValueError):
        strength = float(text)
    if not 0.0 <= strength <= 1.0:
        raise ProblemError(422, "strength is a number from 0 to 1.")
    return strength


async def _place(request: Request, upscaling: Upscaling) -> Job:
    """Return a place in the queue; raises ProblemError, after the body of a program that sends it without asking.

    Else the program would be cut off while it sends, and lose the answer.
    """
    try:
        return upscaling.take_place(int(request.headers.get("content-length", MOST_BYTES)))
    except ProblemError:
        if "100-continue" not in request.headers.get("expect", "").lower():
            with contextlib.suppress(TimeoutError, ClientDisconnect):
                async with asyncio.timeout(_DRAIN_S):
                    async for _ in request.stream():
                        pass
        raise


async def _finished(request: Request, job: Job, task: asyncio.Task[Upscaled | Refusal]) -> Upscaled | Refusal:
    """Return the result of a job, that of its task; if the program hangs up before it is begun, it is given up."""
    gone = asyncio.ensure_future(request.receive())
    try:
        await asyncio.wait({task, gone}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        gone.cancel()
    if not task.done() and not job.is_running:
        task.cancel()
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        if not task.cancelled():
            raise
        raise ProblemError(503, "The repair was given up; ask again.", {"Retry-After": str(RETRY_S)}) from None


def _prefers_job(request: Request) -> bool:
    """Return whether a header `Prefer` (RFC 7240) asks for an answer at once."""
    given = ",".join(request.headers.getlist("prefer")).replace(";", ",").split(",")
    return _ASYNC in {each.strip().lower() for each in given}


def _accepted(name: str, job: Job, headers: dict[str, str] | None = None) -> Response:
    """Answer that a job waits or runs."""
    place = {"Location": f"/upscale/{name}", "Retry-After": str(RETRY_S)}
    return json_answer({"job": name, "state": "running" if job.is_running else "waiting"}, 202, place | (headers or {}))


def _answer(found: Upscaled | Refusal) -> Response:
    if isinstance(found, Refusal):
        raise ProblemError(422 if found.is_picture else 415, f"The picture is not repaired: {found.reason}.")
    headers = {"Cache-Control": "no-store", "X-Model": found.model, "X-Changed": str(int(found.is_changed))}
    if found.quality is not None:
        headers["X-Estimated-Quality"] = str(found.quality)
    return Response(found.data, 200, headers, f"image/{found.format}")
