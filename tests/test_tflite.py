"""The network files: whole, read right, and computed alike alone and in batches."""

import shutil

import numpy as np
import pytest
import torch

from lifemask.nodes.errors import BrokenFileError
from lifemask.nodes.faces import blendshapes, graph, topology, weights
from lifemask.nodes.faces.tflite import load

SHAPES = {
    "face_detection_back.tflite": (256, 256, 3),
    "face_detection_full_range_sparse.tflite": (192, 192, 3),
    "face_landmarks_detector.tflite": (256, 256, 3),
    "face_blendshapes.tflite": (146, 2),
}


@pytest.mark.parametrize(("name", "shape"), SHAPES.items())
def test_a_batch_gives_what_each_gives_alone(name, shape):
    network = load(name)
    inputs = torch.rand(3, *shape, generator=torch.Generator().manual_seed(1))
    together = network(inputs)
    for number in range(3):
        alone = network(inputs[number : number + 1])
        for many, one in zip(together, alone, strict=True):
            torch.testing.assert_close(many[number : number + 1], one, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("name", ["face_blendshapes.tflite", "LICENSE"])
def test_an_altered_file_is_one_clear_error(tmp_path, name):
    folder = shutil.copytree(weights.FOLDER, tmp_path / "weights")
    data = bytearray((folder / name).read_bytes())
    data[len(data) // 2] ^= 1
    (folder / name).write_bytes(data)
    with pytest.raises(BrokenFileError, match=f"{name}: this file was altered"):
        weights.read(name, folder)


def test_a_missing_file_is_one_clear_error(tmp_path):
    with pytest.raises(BrokenFileError, match="install Lifemask again"):
        weights.read("face_blendshapes.tflite", tmp_path)


def test_every_shipped_file_has_its_hash_and_its_notice():
    notice = (weights.FOLDER / "NOTICE").read_text()
    files = [f.name for f in weights.FOLDER.iterdir() if f.suffix in (".tflite", ".binarypb")]
    assert len(files) == 5
    for name in files:
        assert weights.read(name)
        assert name in notice


def test_sparse_constants_are_filled_in():
    sparse = graph.parse(weights.read("face_detection_full_range_sparse.tflite"))
    kernels = [sparse.constants[step.inputs[1]] for step in sparse.steps if step.name == "conv"]
    zeros = [float((kernel == 0).mean()) for kernel in kernels]
    assert max(zeros) > 0.5
    assert all(np.isfinite(kernel).all() and kernel.any() for kernel in kernels)


def test_the_canonical_head_is_symmetrical_and_faces_the_front():
    head = topology.canonical()
    vertices = head.vertices
    mirrored = vertices * [-1, 1, 1]
    nearest = np.linalg.norm(mirrored[:, None] - vertices[None], axis=-1).min(1)
    assert nearest.max() < 0.01
    assert vertices[topology.LEFT_CORNER, 0] > 0 > vertices[topology.RIGHT_CORNER, 0]
    a, b, c = (vertices[head.triangles[:, corner]] for corner in range(3))
    assert (np.cross(b - a, c - a)[:, 2] > 0).mean() > 0.95
    assert set(head.triangles.ravel()) == set(range(topology.MESH_COUNT))


@pytest.mark.parametrize(
    "contour", ["LIPS", "INNER_LIPS", "RIGHT_EYE", "LEFT_EYE", "RIGHT_BROW", "LEFT_BROW", "OVAL"]
)
def test_contours_go_round_once(contour):
    points = topology.canonical().vertices[list(getattr(topology, contour)), :2]
    edges = np.roll(points, -1, 0) - points
    turns = np.arctan2(edges[:, 1], edges[:, 0])
    total = (np.diff(np.append(turns, turns[0])) + np.pi) % (2 * np.pi) - np.pi
    assert abs(abs(total.sum()) - 2 * np.pi) < 1e-3


def test_expression_leaves_lost_frames_lost():
    head = topology.canonical().vertices
    flat = np.concatenate([head * [20, -20, 0], np.zeros((10, 3))])[None].repeat(2, 0)
    flat[1] = np.nan
    coefficients = blendshapes.expression(flat + 200)
    assert coefficients.shape == (2, len(blendshapes.NAMES))
    assert np.isfinite(coefficients[0]).all()
    assert np.isnan(coefficients[1]).all()
