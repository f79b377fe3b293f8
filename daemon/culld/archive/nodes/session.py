"""Start Ray on this machine or join a cluster, and start the actors of a run on the nodes that can score."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from culld import __version__
from culld.archive.nodes.crew import Crew
from culld.archive.nodes.node_check import NodeCheck, samples_of
from culld.archive.nodes.placement import actor_specs
from culld.archive.nodes.ray_cluster import cluster_session, live_nodes, problems_of
from culld.archive.nodes.ray_session import ray_session
from culld.errors import SystemFaultError
from culld.files.temp_names import temp_name
from culld.records import EngineKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from culld.archive.nodes.placement import Node
    from culld.archive.parquet.folder import ArchiveFolder, Manifest
    from culld.archive.records import ScoreRequest
    from culld.config import Config


@contextlib.contextmanager
def started_crew(
    config: Config, request: ScoreRequest, folder: ArchiveFolder, manifest: Manifest, tell: Callable[[str], None]
) -> Iterator[Crew]:
    """Give actors that can score; they end with the context. `tell` takes sentences for the user.

    Raises ConfigError for a bad address, SystemFaultError if Ray cannot be used, or if no node can score.
    """
    with contextlib.ExitStack() as stack:
        if request.address:
            dashboard = stack.enter_context(cluster_session(request.address))
            nodes = _usable(config, folder, manifest, tell)
            tell(f"{len(nodes)} nodes; dashboard of Ray: {f'http://{dashboard}' if dashboard else 'none'}")
        else:
            stack.enter_context(ray_session(request.workers or config.worker_count))
            nodes = live_nodes()
        may_use_gpu = config.model.engine is not EngineKind.LITERT
        specs = actor_specs(nodes, request.workers, may_use_gpu=may_use_gpu)
        crew = Crew(config, folder.path, specs, request.sharpness)
        crew.start()
        yield crew


def _usable(config: Config, folder: ArchiveFolder, manifest: Manifest, tell: Callable[[str], None]) -> Sequence[Node]:
    """Return the nodes that can score, and tell why others cannot; raises SystemFaultError if none can."""
    nodes = [node for node in live_nodes() if node.cpus]
    token = folder.path / temp_name()
    token.touch()
    try:
        check = NodeCheck(__version__, config.model.path, manifest.model, samples_of(manifest.uris), token)
        problems = problems_of(nodes, check)
    finally:
        token.unlink(missing_ok=True)
    for node in nodes:
        if node.id in problems:
            tell(f"node {node.name} is not used: it {problems[node.id]}")
    usable = [node for node in nodes if node.id not in problems]
    if not usable:
        raise SystemFaultError("no node of the cluster can score photos; each one is named above, with the reason")
    return usable
