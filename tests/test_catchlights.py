"""Catchlights, on eyes that are drawn: a dark iris, and a lamp that it mirrors or does not."""

import numpy as np
import torch

from lifemask.nodes.faces.topology import MESH_COUNT, RIGHT_EYE
from lifemask.nodes.render.acescct import to_linear, to_log
from lifemask.nodes.render.atlas import atlas, openings
from lifemask.nodes.render.catchlights import with_catchlights
from lifemask.nodes.render.warp import View, Window

SIZE = 260
WINDOW = Window(0, 0, SIZE, SIZE)
SKIN, IRIS, LAMP = 0.4, 0.05, 3.0


def head(scale=14.0, x=130.0, open_by=1.0):
    """Landmarks (478, 3) of the mean head, eyes open, in the middle of a picture."""
    points = (atlas().mean * scale).astype(np.float32)
    points[:, :2] += [x, 130]
    for iris, ring in ((468, RIGHT_EYE), (473, (263, 249, 390, 373, 374, 380, 381, 382, 362))):
        middle = points[list(ring), :2].mean(0)
        points[iris : iris + 5, :2] += middle - points[iris, :2]
    eye = list(RIGHT_EYE)
    middle = points[eye, 1].mean()
    points[eye, 1] = middle + open_by * (points[eye, 1] - middle)
    return points


def plate_of(landmarks, lamp, lamp_at=(-0.4, 0.0)):
    """A face of skin with dark irises, and a ``lamp`` mirrored at ``lamp_at`` radii in each."""
    picture = np.full((SIZE, SIZE, 3), SKIN, np.float32)
    rows, columns = np.mgrid[:SIZE, :SIZE] + 0.5
    for middle in (MESH_COUNT, MESH_COUNT + 5):
        x, y = landmarks[middle, :2]
        radius = np.linalg.norm(landmarks[middle + 1, :2] - landmarks[middle, :2])
        picture[np.hypot(columns - x, rows - y) < radius * 1.1] = IRIS
        where = columns - x - lamp_at[0] * radius, rows - y - lamp_at[1] * radius
        picture[np.hypot(*where) < radius * 0.25] += lamp
    return to_log(torch.from_numpy(picture).permute(2, 0, 1)[None])


def lit(landmarks, plate, target=None):
    """A mid-grey likeness with the catchlights of the plate, and what they add, linear."""
    target = landmarks if target is None else target
    mesh, own = (atlas().mesh(points[None])[0] for points in (target, landmarks))
    log = torch.full((1, 3, SIZE, SIZE), 0.3)
    result = with_catchlights(
        log,
        plate,
        View.of_mesh(mesh, WINDOW),
        View.of_mesh(own, WINDOW),
        torch.from_numpy(own[:, :2]),
        torch.from_numpy(landmarks[:, :2]),
    )
    return (to_linear(result) - to_linear(log))[0, 1].numpy()


def eyes_of(landmarks):
    view = View.of_mesh(atlas().mesh(landmarks[None])[0], WINDOW)
    return sum(view.of_atlas(openings()[name])[0, 0] for name in ("right_eye", "left_eye")).numpy()


def test_a_lamp_in_the_doubles_eye_is_in_the_likenesss():
    eyes = head()
    added = lit(eyes, plate_of(eyes, LAMP))
    for middle in (MESH_COUNT, MESH_COUNT + 5):
        x, y = eyes[middle, :2]
        radius = np.linalg.norm(eyes[middle + 1, :2] - eyes[middle, :2])
        seen = added[int(y), int(x - 0.4 * radius)]
        assert seen > 0.7 * LAMP
        assert added[int(y), int(x + 0.5 * radius)] < 0.01 * LAMP


def test_nothing_is_added_outside_of_the_eyes():
    eyes = head()
    added = lit(eyes, plate_of(eyes, LAMP))
    assert np.abs(added[eyes_of(eyes) == 0]).max() < 1e-6


def test_an_eye_that_mirrors_nothing_adds_nothing():
    eyes = head()
    assert np.abs(lit(eyes, plate_of(eyes, 0.0))).max() < 0.1 * SKIN


def test_a_closed_eye_mirrors_nothing():
    eyes = head(open_by=0.02)
    added = lit(eyes, plate_of(eyes, LAMP))
    right = added[:, :130]
    assert np.abs(right).max() < 1e-6
    assert added[:, 130:].max() > 0.5 * LAMP


def test_catchlights_move_with_the_likenesss_eyes():
    eyes, other = head(), head(x=134.0)
    plate = plate_of(eyes, LAMP)
    here, there = lit(eyes, plate), lit(eyes, plate, other)
    np.testing.assert_allclose(there[:, 4:], here[:, :-4], atol=0.02 * LAMP)


def test_the_pattern_of_a_light_iris_is_no_catchlight():
    landmarks = head()
    plain, patterned = (lit(landmarks, plate_of(landmarks, more)) for more in (0.0, 0.015))
    np.testing.assert_allclose(patterned, plain, atol=1e-3)
