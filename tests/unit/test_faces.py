"""Faces from the rows of the network; and the network that ships, on photographs where they are at hand."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from culld.errors import ConfigError
from culld.inference.litert import LiteRtNetwork
from culld.inference.network import ArraySpec, Signature
from culld.subject.faces import FaceDetector, anchors_of, select_faces
from culld.training.faces.onnx_file import read_onnx

SIDE = 64
ANCHORS = anchors_of(SIDE)


class FakeNetwork:
    """Gives the same rows for every frame, and keeps the frames."""

    def __init__(self, rows: NDArray[np.float32]) -> None:
        """Answer with these rows (n, 15)."""
        self._rows = rows
        self.signature = Signature(
            {"frame": ArraySpec((SIDE, SIDE, 3), "uint8")}, {"rows": ArraySpec(rows.shape, "float32")}
        )
        self.frames: list[NDArray[np.uint8]] = []

    def run(self, arrays: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Return the rows."""
        self.frames.append(arrays["frame"][0])
        return {"rows": self._rows[None]}


def rows_of(*scores: tuple[int, float]) -> NDArray[np.float32]:
    """The rows of a network: all scores 0 but those of some anchors; boxes of one stride around the anchor's corner."""
    rows = np.zeros((len(ANCHORS), 15), np.float32)
    for index, score in scores:
        rows[index, 0] = score
    return rows


def test_the_anchors_are_those_of_three_strides_row_by_row() -> None:
    """As the network's outputs are joined."""
    assert len(ANCHORS) == 8 * 8 + 4 * 4 + 2 * 2
    assert ANCHORS[1].tolist() == [1, 0, 8]
    assert ANCHORS[8].tolist() == [0, 1, 8]
    assert ANCHORS[64 + 5].tolist() == [1, 1, 16]


def test_a_row_is_decoded_to_pixels() -> None:
    """Centre offsets and points in strides; width and height are logarithms."""
    rows = rows_of((64 + 5, 0.9))
    rows[64 + 5, 1:7] = [0.5, 0.25, np.log(2), 0, -0.5, 1.0]

    (found,) = select_faces(rows, ANCHORS)

    assert found[:7] == pytest.approx([0.9, 8, 12, 32, 16, 8, 32])


def test_of_overlapping_boxes_the_one_with_the_highest_score_is_kept() -> None:
    """Whatever their order; a distant one is kept too, and low scores are no faces."""
    rows = rows_of((0, 0.8), (1, 0.9), (36, 0.75), (63, 0.69))
    rows[:2, 3] = np.log(3)

    found = select_faces(rows, ANCHORS)

    assert found[:, 0] == pytest.approx([0.9, 0.75])


def test_the_box_is_in_fractions_of_the_photo_and_cut_to_it() -> None:
    """The photo fills a part of the square frame: its upper half if it is twice as wide as high."""
    rows = rows_of((0, 0.9))
    network = FakeNetwork(rows)
    photo = np.full((64, 128, 3), 200, np.uint8)

    (face,) = FaceDetector(network, network).detect(photo)

    assert face.box == pytest.approx((0, 0, 4 / 64, 4 / 32))
    assert (network.frames[0][:32] == 200).all()
    assert not network.frames[0][32:].any()


def test_the_large_network_looks_only_where_the_small_one_may_have_seen_a_face() -> None:
    """The small one needs a lower score for that."""
    low, high = FakeNetwork(rows_of((3, 0.1))), FakeNetwork(rows_of((3, 0.4)))
    sure = FakeNetwork(rows_of((3, 0.9)))
    photo = np.zeros((32, 32, 3), np.uint8)

    assert FaceDetector(low, sure).detect(photo) == ()
    assert not sure.frames
    assert len(FaceDetector(high, sure).detect(photo)) == 1
    assert FaceDetector(high, low).detect(photo) == ()


def test_the_large_network_does_not_look_where_the_small_one_is_sure() -> None:
    """Of every face: one that is small, or that it is not sure of, needs a second look."""
    large = FakeNetwork(rows_of((56, 0.9)))
    photo = np.zeros((64, 64, 3), np.uint8)

    (face,) = FaceDetector(FakeNetwork(rows_of((3, 0.9))), large).detect(photo)

    assert face.box[:2] == (pytest.approx(20 / 64), 0)
    assert not large.frames
    assert len(FaceDetector(FakeNetwork(rows_of((3, 0.9), (7, 0.4))), large).detect(photo)) == 2
    small = rows_of((3, 0.9))
    small[3, 4] = np.log(0.5)
    assert len(FaceDetector(FakeNetwork(small), large).detect(photo)) == 1
    assert len(large.frames) == 2
    assert len(FaceDetector(FakeNetwork(rows_of((3, 0.9))), large).detect_thoroughly(photo)) == 2


def test_a_large_face_that_only_the_small_network_saw_counts() -> None:
    """It sees those better that are far out of focus; a small one does not count."""
    rows = rows_of((3, 0.55))
    rows[3, 3:5] = np.log(2)
    large, low = FakeNetwork(rows), FakeNetwork(rows_of())

    (face,) = FaceDetector(large, low).detect(np.zeros((64, 64, 3), np.uint8))

    assert face.score == pytest.approx(0.55)
    rows[3, 4] = np.log(0.5)
    assert FaceDetector(large, low).detect(np.zeros((64, 64, 3), np.uint8)) == ()


@pytest.fixture(scope="session")
def detector(models: Path) -> FaceDetector:
    """The detector that ships."""
    return FaceDetector(
        LiteRtNetwork(models / "faces" / "first.tflite"), LiteRtNetwork(models / "faces" / "model.tflite")
    )


def test_a_photo_without_faces_has_none(detector: FaceDetector) -> None:
    """Noise, and a plain ground."""
    noise = np.random.default_rng(1).integers(0, 256, (300, 400, 3), np.uint8)

    assert detector.detect(noise) == ()
    assert detector.detect(np.full((300, 400, 3), 128, np.uint8)) == ()


def test_an_onnx_file_that_is_none_is_refused(tmp_path: Path) -> None:
    """With its path."""
    file = tmp_path / "a.onnx"
    file.write_bytes(b"\x0a\xffnot a graph")

    with pytest.raises(ConfigError, match=r"a\.onnx: no ONNX graph"):
        read_onnx(file)


def test_a_graph_is_read_from_the_wire_format(tmp_path: Path) -> None:
    """One convolution with its attribute, one float weight; tensors of other types are passed over."""
    kernel = np.arange(4, dtype="<f4").tobytes()
    tensor = bytes([8, 2, 8, 2, 16, 1]) + b"\x42\x01w" + b"\x4a\x10" + kernel
    shape = bytes([8, 1, 16, 7]) + b"\x42\x01s" + b"\x4a\x08" + bytes(8)
    attribute = b"\x0a\x05group\x18\x02"
    node = b"\x0a\x01x\x0a\x01w\x12\x01y\x22\x04Conv" + b"\x2a" + bytes([len(attribute)]) + attribute
    parts = ((0x0A, node), (0x2A, tensor), (0x2A, shape))
    graph = b"".join(bytes([key, len(part)]) + part for key, part in parts)
    file = tmp_path / "a.onnx"
    file.write_bytes(b"\x08\x06" + b"\x3a" + bytes([len(graph)]) + graph)

    found = read_onnx(file)

    (conv,) = found.nodes
    assert (conv.operation, conv.inputs, conv.outputs, conv.numbers) == ("Conv", ("x", "w"), ("y",), {"group": (2,)})
    assert {name: weight.tolist() for name, weight in found.weights.items()} == {"w": [[0, 1], [2, 3]]}
