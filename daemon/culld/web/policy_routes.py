"""The routes about the policy and the daemon: simulate, report, status."""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING, Any

from culld.app.review.report import report
from culld.app.review.simulate import SimulateRequest
from culld.app.review.status import status, status_answer
from culld.records import Defect, Threshold
from culld.web.answers import CHECKED, is_known, json_answer, json_body, not_modified
from culld.web.problems import ProblemError
from culld.web.route_values import site_of

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from culld.records import Policy


async def simulate(request: Request) -> Response:
    """Answer with what other thresholds would change."""
    site, given = site_of(request), await json_body(request)
    policies = site.policies()
    wanted = _wanted(given, policies.default)
    found = await site.read(
        lambda reading: reading.simulator.simulate(reading.journal(), reading.fresh(), wanted, policies)
    )
    return json_answer(found)


def _wanted(given: dict[str, Any], policy: Policy) -> SimulateRequest:
    if set(given) - {"defects", "ids"} or not isinstance(given.get("ids", False), bool):
        raise ProblemError(422, "The keys are defects and ids.")
    defects = given.get("defects", {})
    if not isinstance(defects, dict) or set(defects) - set(Defect):
        raise ProblemError(422, f"The defects are {', '.join(Defect)}.")
    thresholds = {Defect(name): _threshold(name, value, policy.of(Defect(name))) for name, value in defects.items()}
    return SimulateRequest(thresholds, given.get("ids", False))


def _threshold(name: str, given: Any, now: Threshold) -> Threshold:
    if not isinstance(given, dict) or set(given) - {"tag", "reject"}:
        raise ProblemError(422, f"{name}: the thresholds are tag and reject.")
    tag, reject = given.get("tag", now.tag), given.get("reject", now.reject)
    if not _is_probability(tag) or not (reject is None or (_is_probability(reject) and tag <= reject)):
        raise ProblemError(
            422, f"{name}: thresholds are numbers from 0 to 1, and tag is at most reject; null is never."
        )
    return Threshold(float(tag), None if reject is None else float(reject))


def _is_probability(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and 0 <= value <= 1


async def show_report(request: Request) -> Response:
    """Answer with the rates of false rejects and the calibration."""
    site = site_of(request)
    change = await site.read(lambda reading: reading.fresh().change)
    headers = {"ETag": f'"report-{change}"', "Cache-Control": CHECKED}
    if is_known(request, headers["ETag"]):
        return not_modified(headers)
    return json_answer(await site.read(lambda reading: report(reading.fresh())), headers=headers)


async def show_status(request: Request) -> Response:
    """Answer with the state of the daemon and of the folders."""
    site = site_of(request)
    policy, state = site.policies().default, site.config.state
    reported = await asyncio.to_thread(status, site.config_file, site.environ)
    return json_answer(await site.read(lambda reading: status_answer(reported, reading.fresh(), policy, state)))
