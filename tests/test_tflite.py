"""The network files: whole, read right, and computed alike alone and in batches."""

import os
import shutil
import subprocess
import sys

import numpy as np
import pytest
import torch

from lifemask.nodes.errors import BrokenFileError, SystemRefusalError
from lifemask.nodes.faces import blendshapes, tflite, topology, weights
from lifemask.nodes.faces.tflite import load

SHAPES = {
    "face_detection_back.tflite": (256, 256, 3),
    "face_detection_full_range_sparse.tflite": (192, 192, 3),
    "face_landmarks_detector.tflite": (256, 256, 3),
    "face_blendshapes.tflite": (146, 2),
    "palm_detection_full.tflite": (192, 192, 3),
    "hand_landmark_full.tflite": (224, 224, 3),
}
OUTPUTS = {
    "face_detection_back.tflite": [
        ((896, 16), [-3.6802, -3.851, 53.0572, 53.0496]),
        ((896,), [-66.7378, -23.9245, -469.7729, -255.7775]),
    ],
    "face_detection_full_range_sparse.tflite": [
        ((2304, 16), [-4.8349, -0.7846, 9.6944, 9.6624]),
        ((2304,), [-9.5564, -12.7041, -10.3879, -8.8148]),
    ],
    "face_landmarks_detector.tflite": [
        ((1434,), [126.3854, 142.5578, -21.8505, 131.1207]),
        ((), [-7.6357]),
        ((), [0.0163]),
    ],
    "face_blendshapes.tflite": [((52,), [0.0, 0.0649, 0.0015, 0.6353])],
    "palm_detection_full.tflite": [
        ((2016, 18), [-3.4938, -0.4119, 17.8239, 17.8226]),
        ((2016,), [-9.8277, -12.901, -9.754, -12.048]),
    ],
    "hand_landmark_full.tflite": [
        ((63,), [110.0186, 180.342, 0.0001, 113.2825]),
        ((), [0.0132]),
        ((), [0.5718]),
        ((63,), [0.0055, 0.077, 0.0456, 0.0123]),
    ],
}
"""By file, for a grey ramp: each output's shape and first numbers."""


@pytest.mark.parametrize(("name", "shape"), SHAPES.items())
def test_neither_the_batch_nor_the_threads_change_a_bit(name, shape, monkeypatch):
    network = load(name)
    inputs = torch.rand(5, *shape, generator=torch.Generator().manual_seed(1))
    found = []
    for threads in (1, 3):
        monkeypatch.setattr(tflite, "threads", lambda count=threads: count)
        found.append(network(inputs))
    alone = [network(inputs[number : number + 1]) for number in range(5)]
    found.append([torch.cat(each) for each in zip(*alone, strict=True)])
    for other in found[1:]:
        assert all(torch.equal(*pair) for pair in zip(found[0], other, strict=True))


@pytest.mark.parametrize(("name", "outputs"), OUTPUTS.items())
def test_a_network_gives_what_it_gave(name, outputs):
    """Other interpreters computed these: one written from TFLite's schema, of hands OpenCV's."""
    ramp = torch.linspace(0, 1, int(np.prod(SHAPES[name]))).view(1, *SHAPES[name])
    found = load(name)(ramp)
    assert [tuple(output.shape[1:]) for output in found] == [shape for shape, _ in outputs]
    for output, (_, expected) in zip(found, outputs, strict=True):
        assert output.flatten()[:4].tolist() == pytest.approx(expected, rel=1e-4, abs=1e-3)


def in_a_process(*lines):
    words = [sys.executable, "-W", "error", "-c", "\n".join(lines)]
    return subprocess.run(words, capture_output=True, text=True, timeout=300)


USE = (
    "import torch",
    "from lifemask.nodes.faces.blendshapes import NAMES, expression",
    "import numpy as np",
    "faces = np.random.default_rng(1).random((3, 478, 2)) * 200",
    "first = expression(faces)",
)


def test_it_computes_in_silence():
    done = in_a_process(*USE, "print(first.shape)")
    assert (done.stdout, done.stderr, done.returncode) == ("(3, 52)\n", "", 0)


def test_what_others_print_is_passed_on():
    lines = (
        "import os",
        "from lifemask.nodes.faces.tflite import _without_notes",
        "with _without_notes():",
        "    os.write(2, b'INFO: of no use\\nERROR: of use\\n')",
        "os.write(2, b'more\\n')",
    )
    assert in_a_process(*lines).stderr == "ERROR: of use\nmore\n"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_threads_and_forks_compute_the_same():
    done = in_a_process(
        *USE,
        "import os, threading",
        "torch.set_num_threads(2)",
        "again = []",
        "add = lambda: again.append(expression(faces))",
        "own = [threading.Thread(target=add) for _ in range(3)]",
        "[thread.start() for thread in own]",
        "[thread.join() for thread in own]",
        "assert all((one == first).all() for one in again), 'threads'",
        "child = os.fork()",
        "if not child:",
        "    os._exit(0 if (expression(faces) == first).all() else 3)",
        "print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))",
    )
    assert (done.stdout, done.stderr) == ("0\n", "")


def test_where_there_is_no_litert_one_sentence_says_so(monkeypatch):
    monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", None)
    with pytest.raises(SystemRefusalError, match="ai-edge-litert, which cannot be loaded") as error:
        load("face_blendshapes.tflite")(torch.zeros(1, 146, 2))
    assert "\n" not in str(error.value)


def test_nothing_is_loaded_before_it_is_needed():
    done = in_a_process(
        "import sys",
        "import lifemask.nodes",
        "import lifemask.nodes.track",
        "print([name for name in sys.modules if name.startswith(('ai_edge', 'torch', 'numpy'))])",
    )
    assert done.stdout == "[]\n", done.stderr


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
    assert len(files) == 7
    for name in files:
        assert weights.read(name)
        assert name in notice


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
