"""Distillation: one set of heads learns the answers of several."""

from __future__ import annotations

import numpy as np

from culld.training.defects.fit import distilled_goal


def test_the_answers_stand_in_place_of_the_labels_and_known_labels_keep_their_weight() -> None:
    """Hard negatives count as much as before."""
    goal = np.array([[0, 1, 0, 6, 2, 1], [1, 0, 0, 1, 1, 2]], np.float32)

    found = distilled_goal(goal, np.array([[0, 2, -2], [4, 0, -90]], np.float32))

    assert found.dtype == np.float32
    np.testing.assert_allclose(found[:, :3], [[0.5, 0.8808, 0.1192], [0.982, 0.5, 0]], atol=1e-4)
    np.testing.assert_array_equal(found[:, 3:], goal[:, 3:])


def test_an_answer_counts_where_the_label_is_unknown() -> None:
    """Its weight is that of a picture with a defect."""
    goal = np.array([[0, 0, 0, 0, 6, 0]], np.float32)

    np.testing.assert_array_equal(distilled_goal(goal, np.zeros((1, 3), np.float32))[:, 3:], [[1, 6, 1]])
