"""Whether the extra `video`, which reads clips, is installed where the policy wants clips to be judged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from culld.system.doctor.environment import has_module

if TYPE_CHECKING:
    from collections.abc import Callable

    from culld.records import FolderPolicies

FIX: Final = "pip install 'culld[video]'"
MISSING: Final = f"policy.clips is set, but no clip is judged without the extra `video`: run {FIX}"


def reads_clips() -> bool:
    """Return whether the extra is installed."""
    return has_module("av")


def missing_extra(policies: FolderPolicies, has_extra: Callable[[], bool] = reads_clips) -> str:
    """Return that the extra must be installed, as a sentence without its full stop; empty if it need not be."""
    wanted = any(policy.clips is not None for policy in policies.by_root.values())
    return MISSING if wanted and not has_extra() else ""
