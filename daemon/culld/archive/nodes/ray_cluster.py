"""A Ray cluster that runs already: connect to it, and find the nodes that can score."""

from __future__ import annotations

import contextlib
import logging
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from culld.archive.nodes.node_check import NodeCheck
from culld.archive.nodes.placement import Node
from culld.archive.nodes.ray_session import end_on_sigterm
from culld.errors import ConfigError, SystemFaultError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

AUTO: Final = "auto"
_ADDRESS: Final = re.compile(r"(?:ray://)?(\[[0-9a-fA-F:.]+\]|[^\s:/\[\]]+):(\d{1,5})")
_CONNECT_S: Final = 5.0
_TRY_S: Final = 40.0
_CHECK_S: Final = 60.0
_POLL_S: Final = 0.1
_NO_ANSWER: Final = "Failed to connect to GCS"
"""Ray prints it after 5 s, and tries again."""
_NONE_HERE: Final = "Could not find any running Ray instance"
_TRY: Final = """
import sys, ray
try:
    ray.init(address=sys.argv[1], log_to_driver=False, logging_level="ERROR")
    ray.nodes()
except BaseException as error:
    sys.exit("culld: " + " ".join(str(error).split()))
"""
"""Ray retries a connection without end, prints why, and may end the process: so it is tried in one of its own."""


def require_address(address: str) -> None:
    """Raise ConfigError for a text that is no address of a cluster."""
    found = _ADDRESS.fullmatch(address)
    if address != AUTO and (found is None or not 1 <= int(found[2]) <= 65_535):
        raise ConfigError((f"--address {address}: write auto, HOST:PORT or ray://HOST:PORT",))


@contextlib.contextmanager
def cluster_session(address: str) -> Iterator[str]:
    """Connect to a cluster, and give the address of its dashboard, empty without one; the actors end with the context.

    Raises ConfigError for a text that is no address, SystemFaultError if no cluster of this Ray and Python answers, or
    if it refuses the token.
    """
    require_address(address)
    _require_answer(address)
    import ray

    # Ray prints to the standard output that a node is lost, although no log output is wanted.
    with Path(os.devnull).open("w") as null, contextlib.redirect_stdout(null):
        try:
            context = ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
        except Exception as error:
            raise refusal(address, str(error)) from error
        end_on_sigterm()
        try:
            yield getattr(context, "dashboard_url", None) or ""
        finally:
            ray.shutdown()


def live_nodes() -> list[Node]:
    """Return the nodes of Ray that are alive, in the order of their names."""
    import ray

    alive = [each for each in ray.nodes() if each["Alive"]]  # type: ignore[no-untyped-call]
    return sorted(map(_node, alive), key=lambda node: (node.name, node.id))


def _node(found: dict[str, Any]) -> Node:
    has = found["Resources"]
    return Node(found["NodeID"], found["NodeManagerAddress"], int(has.get("CPU", 0)), int(has.get("GPU", 0)))


def problems_of(nodes: Sequence[Node], check: NodeCheck) -> dict[str, str]:
    """Return why nodes cannot score, as clauses by their ids; one task on each node, all at once."""
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    task = ray.remote(NodeCheck.problem)
    asked = {}
    for node in nodes:
        there = NodeAffinitySchedulingStrategy(node.id, soft=False)
        asked[node.id] = task.options(scheduling_strategy=there, num_cpus=0, max_retries=0).remote(check)
    ray.wait(list(asked.values()), num_returns=len(asked), timeout=_CHECK_S)
    return {node: why for node, ref in asked.items() if (why := _answer(ref))}


def _answer(ref: Any) -> str:
    import ray

    try:
        return str(ray.get(ref, timeout=0))
    except ray.exceptions.GetTimeoutError:
        return f"did not answer within {_CHECK_S:.0f} s"
    except ray.exceptions.RayError as error:
        return f"cannot run this culld: {str(error).strip().splitlines()[-1].strip()}"


def _require_answer(address: str) -> None:
    """Raise SystemFaultError if no cluster that this process can use answers at an address."""
    found = _ADDRESS.fullmatch(address)
    if found is not None:
        try:
            socket.create_connection((found[1].strip("[]"), int(found[2])), _CONNECT_S).close()
        except OSError as error:
            why = error.strerror or str(error)
            raise SystemFaultError(f"nothing answers at {address}: {why}; is the address right?") from error
    with tempfile.TemporaryFile("w+") as printed:
        command = [sys.executable, "-c", _TRY, address]
        tried = subprocess.Popen(  # noqa: S603 - our own interpreter
            command, stdin=subprocess.DEVNULL, stdout=printed, stderr=printed
        )
        try:
            code = _wait(tried, printed)
        finally:
            tried.kill()
            tried.wait()
        if code != 0:
            printed.seek(0)
            raise refusal(address, printed.read())


def _wait(tried: subprocess.Popen[bytes], printed: Any) -> int | None:
    """Return the exit code of a trial; None if it takes too long, or if Ray printed why it would not end."""
    until = time.monotonic() + _TRY_S
    while time.monotonic() < until:
        if (code := tried.poll()) is not None:
            return code
        text = Path(f"/proc/self/fd/{printed.fileno()}").read_text()
        if _is_refused(text) or _NO_ANSWER in text:
            return None
        time.sleep(_POLL_S)
    return None


def _is_refused(text: str) -> bool:
    return "Unauthenticated" in text or "uthentication" in text


def refusal(address: str, text: str) -> SystemFaultError:
    """Return the words of Ray about a connection that failed as a sentence about the cause."""
    if _is_refused(text):
        return SystemFaultError(
            f"the Ray cluster at {address} refuses the token of this process: set RAY_AUTH_MODE=token, and"
            " RAY_AUTH_TOKEN to the token of the cluster"
        )
    if versions := re.search(r"Version mismatch: (.*?)(?:Traceback|$)", text):
        return SystemFaultError(f"the Ray cluster at {address} has another version: {versions[1].strip()}")
    if _NONE_HERE in text:
        return SystemFaultError(f"--address {address}: no Ray cluster runs on this machine")
    _, _, why = text.rpartition("culld: ")
    if not why or _NO_ANSWER in why:
        return SystemFaultError(f"no Ray cluster answers at {address}; does it run, and is this its head?")
    return SystemFaultError(f"the Ray cluster at {address} cannot be used: {why.strip()}")
