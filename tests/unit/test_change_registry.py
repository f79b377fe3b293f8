"""The registry of models of change: one file in a folder is a model, and each is refused or opened in words."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import numpy as np
import pytest

from culld.compare import registry
from culld.compare.model import Measure, Network
from culld.errors import ConfigError, SystemFaultError

SHIPPED = ("fcsiam-tiny", "siamese-mobilenetv2")
NEW = """
import numpy as np
from culld.compare.model import Measure

def nothing(first, second):
    return np.zeros(first.shape[:2], np.float32)

MODEL = Measure("nothing", "nothing ever changes", lambda: nothing)
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An importable package for models."""
    folder = tmp_path / "models_of_others"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    yield folder
    for name in [name for name in sys.modules if name.startswith("models_of_others")]:
        del sys.modules[name]


def test_the_models_of_the_issue_are_there_those_without_weights_first() -> None:
    """By name, each once."""
    names = [entry.name for entry in registry.entries()]
    networks = [entry.name for entry in registry.entries() if isinstance(entry, Network)]

    assert {"absdiff", "ssim"} <= set(names)
    assert networks == [
        "fcsiam-tiny",
        "siamese-mobilenetv2",
        "siamese-mobilenetv3",
        "siamese-resnet50",
        "siamese-vgg16",
    ]
    assert names[-len(networks) :] == networks
    assert all(entry.summary for entry in registry.entries())


def test_a_new_file_in_the_folder_is_a_new_model(package: Path) -> None:
    """As docs/architecture.md says: nothing else is to be changed."""
    (package / "nothing.py").write_text(NEW)
    found = registry.entries(importlib.import_module(package.name))

    assert [entry.name for entry in found] == ["nothing"]
    frame = np.zeros((4, 5, 3), np.uint8)
    assert registry.open_model(found[0])(frame, frame).shape == (4, 5)


def test_a_module_without_a_model_is_named(package: Path) -> None:
    """A mistake of the programmer is seen at once."""
    (package / "empty.py").write_text("")

    with pytest.raises(TypeError, match=r"models_of_others\.empty"):
        registry.entries(importlib.import_module(package.name))


def test_an_unknown_name_is_refused_with_all_known_ones() -> None:
    """So that a typing error is easy to mend."""
    with pytest.raises(ConfigError, match=r"'resnet' is not one of absdiff.*siamese-resnet50"):
        registry.entry("resnet")


def test_an_untrained_network_says_how_to_train_it() -> None:
    """It is listed all the same."""
    entry = registry.entry("siamese-vgg16")

    assert not registry.is_trained(entry)
    with pytest.raises(SystemFaultError, match=r"is untrained: .*culld model train"):
        registry.open_model(entry)


@pytest.mark.parametrize("name", ["absdiff", "ssim"])
def test_a_baseline_finds_what_differs_and_nothing_in_equal_frames(name: str) -> None:
    """Probabilities, float32, of the size of the frames."""
    entry = registry.entry(name)
    first = np.random.default_rng(1).integers(0, 255, (40, 60, 3), dtype=np.uint8)
    second = first.copy()
    second[10:20, 20:40] = 255 - second[10:20, 20:40]

    found, none = registry.open_model(entry)(first, second), registry.open_model(entry)(first, first)

    assert isinstance(entry, Measure)
    assert registry.is_trained(entry)
    assert found.dtype == np.float32
    assert found.shape == (40, 60)
    assert 0 <= found.min() <= found.max() <= 1
    assert found[12:18, 22:38].mean() > found[30:].mean() + 0.2
    assert none.max() < 1e-3


@pytest.mark.parametrize("name", SHIPPED)
@pytest.mark.parametrize("size", [(384, 512), (90, 70), (200, 600)])
def test_a_shipped_network_finds_a_pasted_square_in_frames_of_any_aspect(name: str, size: tuple[int, int]) -> None:
    """And little in two frames of the same light; TensorFlow is not needed for it."""
    model = registry.open_model(registry.entry(name))
    rows, columns = np.mgrid[: size[0], : size[1]]
    first = np.stack((rows * 255 // size[0], columns * 255 // size[1], (rows + columns) % 256), axis=2).astype(np.uint8)
    second = first.copy()
    box = np.s_[size[0] // 4 : size[0] // 2, size[1] // 4 : size[1] // 2]
    second[box] = (250, 30, 20)

    found, none = model(first, second), model(first, first)

    assert found.shape == size
    assert found.dtype == np.float32
    assert (found[box] > 0.5).mean() > 0.7
    assert (found > 0.5).mean() < 0.12
    assert (none > 0.5).mean() < 0.005
