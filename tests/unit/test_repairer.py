"""The process that repairs photos in the background: when it is started, replaced and ended."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from culld.app.copies.repairer import Repairer
from culld.app.enhance_messages import EnhanceRequest, EnhanceSettings
from culld.errors import SystemFaultError
from culld.inference.pending import PendingResults
from culld.records import Defect
from harness import factories, fakes
from harness.repairs import FakeRepairs, better

REQUEST = EnhanceRequest(factories.place("a.jpg"))


def settings(tag: float = 0.5) -> EnhanceSettings:
    """Settings with one threshold for all defects."""
    return EnhanceSettings(Path(), Path(), Path(), Path(), 10**8, 10**8, dict.fromkeys(Defect, tag), frozenset())


def test_no_process_is_started_before_it_is_needed() -> None:
    """Nor is one ended."""
    repairs = FakeRepairs()
    repairer = Repairer(repairs, fakes.FakeClock())

    repairer.rest()
    repairer.close()

    assert (repairs.starts, repairs.stops, repairer.wait_s, repairer.answer()) == (0, 0, math.inf, None)


def test_one_process_repairs_photo_after_photo() -> None:
    """Each answer is given once."""
    repairs = FakeRepairs()
    repairer = Repairer(repairs, fakes.FakeClock())

    for _ in range(2):
        repairer.submit(REQUEST, settings())
        assert repairer.answer() == better("a.jpg")
        assert repairer.answer() is None

    assert (repairs.starts, repairs.stops) == (1, 0)


def test_other_settings_get_another_process() -> None:
    """A policy was saved with another threshold."""
    repairs = FakeRepairs()
    repairer = Repairer(repairs, fakes.FakeClock())

    for tag in (0.5, 0.6, 0.6):
        repairer.submit(REQUEST, settings(tag))
        repairer.wait()

    assert (repairs.starts, repairs.stops) == (2, 1)
    assert [each.tags[Defect.UNDER] for each in repairs.settings] == [0.5, 0.6]


def test_a_pool_that_failed_is_replaced() -> None:
    """Its requests fail, and the next one gets a new process."""
    repairs = FakeRepairs(is_held=True)
    repairer = Repairer(repairs, fakes.FakeClock())
    repairer.submit(REQUEST, settings())
    (work,) = repairs.waiting
    assert isinstance(work, PendingResults)
    work.fail(SystemFaultError("no worker process could be started"))

    with pytest.raises(SystemFaultError):
        repairer.answer()
    repairs.is_held = False
    repairer.submit(REQUEST, settings())

    assert repairer.answer() == better("a.jpg")
    assert (repairs.starts, repairs.stops) == (2, 1)
