"""Which actor runs on which node, who takes the place of a lost one, and which nodes cannot score; without Ray."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from culld import __version__
from culld.app.model_files import load_model
from culld.archive.nodes.actors import config_for
from culld.archive.nodes.node_check import NodeCheck, samples_of
from culld.archive.nodes.placement import ActorSpec, Node, actor_specs, is_poisonous, replacement
from culld.archive.nodes.ray_cluster import cluster_session, refusal, require_address
from culld.config import built_in_config
from culld.errors import ConfigError, SystemFaultError
from culld.records import EngineKind

A, B, GPU = Node("a", "10.0.0.1", 3), Node("b", "10.0.0.2", 1), Node("g", "10.0.0.3", 8, gpus=2)


def test_each_processor_has_an_actor_and_nodes_take_turns() -> None:
    """The first two actors are on two nodes."""
    assert actor_specs([A, B]) == [ActorSpec("a"), ActorSpec("b"), ActorSpec("a"), ActorSpec("a")]
    assert actor_specs([A, B], 2) == [ActorSpec("a"), ActorSpec("b")]
    assert actor_specs([A, B], 99) == actor_specs([A, B])


def test_each_gpu_has_one_actor_with_its_share_of_the_processors() -> None:
    """They decode for it. Other nodes are as without a GPU; a bound on the processors holds for all together."""
    assert actor_specs([GPU, B]) == [ActorSpec("g", 4, gpu=True), ActorSpec("b"), ActorSpec("g", 4, gpu=True)]
    assert actor_specs([GPU, B], 5) == [ActorSpec("g", 4, gpu=True), ActorSpec("b")]
    assert actor_specs([GPU], 6) == [ActorSpec("g", 4, gpu=True), ActorSpec("g", 2, gpu=True)]
    assert actor_specs([replace(GPU, cpus=1)]) == [ActorSpec("g", 1, gpu=True)]
    assert actor_specs([GPU], may_use_gpu=False) == [ActorSpec("g")] * 8


def test_only_an_actor_with_a_gpu_has_the_engine_of_the_configuration() -> None:
    """It has a worker for each of its processors; any other actor has one worker, and LiteRT."""
    plain, gpu = (config_for(built_in_config({}), spec) for spec in (ActorSpec("g"), ActorSpec("g", 4, gpu=True)))

    assert (plain.workers, plain.model.engine) == (1, EngineKind.LITERT)
    assert (gpu.workers, gpu.model.engine) == (4, EngineKind.AUTO)


def test_a_lost_actor_starts_again_on_its_node_else_where_processors_are_free() -> None:
    """Without any the run goes on with fewer actors."""
    lost = ActorSpec("b")

    assert replacement(lost, [ActorSpec("a")] * 3, [A, B]) == lost
    assert replacement(lost, [ActorSpec("a")] * 2, [A]) == ActorSpec("a")
    assert replacement(lost, [ActorSpec("a")] * 3, [A]) is None
    assert replacement(lost, [], []) is None


def test_a_shard_is_poisonous_only_if_it_ended_three_actors_of_nodes_that_go_on() -> None:
    """Three nodes that end one after the other are not its fault."""
    assert is_poisonous(["a", "a", "b"], [A, B])
    assert not is_poisonous(["a", "b", "gone"], [A, B])
    assert not is_poisonous(["gone", "gone", "gone", "a", "a"], [A, B])


@pytest.fixture
def check(tmp_path: Path) -> NodeCheck:
    """A check that this machine passes."""
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "a.jpg").write_bytes(b"x")
    (tmp_path / "out").mkdir()
    token = tmp_path / "out" / "token"
    token.touch()
    _, card = load_model(None)
    return NodeCheck(__version__, None, card.id, samples_of((str(tmp_path / "photos"),)), token)


def test_a_node_that_can_score_has_no_problem(check: NodeCheck) -> None:
    """Nothing is left in the folder of the archive."""
    assert check.problem() == ""
    assert list(check.token.parent.iterdir()) == [check.token]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"version": "0.0"}, f"has culld {__version__}, and not 0.0"),
        ({"model_folder": Path("/nowhere")}, "cannot load the model: "),
        ({"model": "other@1"}, "and not other@1"),
        ({"samples": (Path("/nowhere/a.jpg"),)}, "cannot read /nowhere/a.jpg; photos must have the same path"),
        ({"token": Path("/nowhere/token")}, "does not see the archive in /nowhere; it must be a shared folder"),
    ],
)
def test_a_node_that_cannot_score_says_why(change: dict[str, object], problem: str, check: NodeCheck) -> None:
    """One clause."""
    assert problem in replace(check, **change).problem()


def test_a_sample_is_the_first_entry_of_a_folder_or_glob_and_a_photo_itself(tmp_path: Path) -> None:
    """A glob that matches nothing, an empty folder and object storage have none."""
    photo = tmp_path / "a.jpg"
    photo.touch()
    (tmp_path / "empty").mkdir()
    photos = (f"{tmp_path}/*.jpg", str(photo))

    assert samples_of((*photos, f"{tmp_path}/*.png", str(tmp_path / "empty"), "s3://bucket/a")) == (photo, photo)
    assert samples_of((str(tmp_path / "empty"), str(tmp_path))) != ()


@pytest.mark.parametrize("address", ["", "local", "host", "host:0", "host:99999", "http://host:1", "a b:1", "ray://"])
def test_a_text_that_is_no_address_is_refused(address: str) -> None:
    """The sentence says what can be written."""
    with pytest.raises(ConfigError, match="write auto, HOST:PORT or ray://HOST:PORT"):
        require_address(address)


@pytest.mark.parametrize("address", ["auto", "10.0.0.1:6379", "ray://head.example.org:10001", "[::1]:6379"])
def test_an_address_is_auto_or_a_host_and_a_port(address: str) -> None:
    """With `ray://` or without."""
    require_address(address)


@pytest.mark.parametrize("prefix", ["", "ray://"])
def test_an_address_at_which_nothing_answers_is_refused_at_once(prefix: str) -> None:
    """Ray alone would try without end."""
    with pytest.raises(SystemFaultError, match=f"nothing answers at {prefix}127.0.0.1:1: Connection refused"):
        cluster_session(f"{prefix}127.0.0.1:1").__enter__()


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        (
            "W 1 client.h: Failed to connect to GCS at address 10.0.0.1:22",
            "no Ray cluster answers at",
        ),
        (
            "W 1 gcs_client.cc: Unauthenticated: RPC error: InvalidAuthToken",
            "refuses the token of this process: set RAY_AUTH",
        ),
        ("", "no Ray cluster answers at"),
        ("culld: Could not find any running Ray instance. Please specify", "no Ray cluster runs on this machine"),
        ("culld: Version mismatch: Ray: 2.50.0 This process: Ray: 2.60.0", "has another version: Ray: 2.50.0 This"),
        ("W 1 odd\nculld: odd things", "cannot be used: odd things"),
    ],
)
def test_what_ray_says_about_a_connection_becomes_one_sentence(said: str, sentence: str) -> None:
    """It names the address; the log lines of Ray are left out."""
    text = str(refusal("10.0.0.1:22", said))

    assert sentence in text
    assert "10.0.0.1:22" in text
    assert "W 1" not in text
