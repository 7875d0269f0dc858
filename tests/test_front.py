"""What the occlusion network finds, in the plate's pixels."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from lifemask.nodes.hands.hand_coverage import hand_coverage
from lifemask.nodes.learning.train_occlusion import save
from lifemask.nodes.refiner.crop import Crop
from lifemask.nodes.refiner.occlusion_network import (
    CHANNELS,
    LENS,
    OCCLUDER,
    OUTPUTS,
    SIDE,
    OcclusionNetwork,
    load,
)
from lifemask.nodes.render.warp import Window
from lifemask.nodes.swap import Swap, front
from lifemask.nodes.swap.front import Front
from lifemask.nodes.swap.pictures import FacePictures
from lifemask.nodes.types import HandTrack

SURE = 8.0


def crop_of(height, width, zoom):
    """A crop whose pixels are ``zoom`` of the window's, around the same middle."""
    matrix = np.array(
        [[zoom, 0, SIDE / 2 - zoom * width / 2], [0, zoom, SIDE / 2 - zoom * height / 2]]
    )
    return Crop(SIDE, matrix.astype(np.float32))


@pytest.fixture
def find(monkeypatch):
    def found(matte, plate, face, zoom=1.0, sensitivity=1.0):
        crop = crop_of(*plate.shape[-2:], zoom)
        logits = torch.full((1, OUTPUTS, SIDE, SIDE), -SURE)
        taken = crop.take(matte)
        logits[:, OCCLUDER] = (taken[:, 0] - 0.5) * 2 * SURE
        logits[:, LENS] = logits[:, OCCLUDER]
        monkeypatch.setattr(front, "segmented", lambda planes: logits)
        return Front.of(torch.zeros(1, CHANNELS, SIDE, SIDE), plate, face, crop, sensitivity)

    return found


def test_a_tracked_hand_is_shown_where_it_is(pair):
    """In its own frames, and in the window's pixels."""
    plan = Swap().plan([pair.role])[0].at(1001)
    points = np.tile(np.float32([[120, 90, 0]]), (1, 21, 1))
    points[0, :, 0] += np.linspace(-20, 20, 21)
    points[0, :, 1] += np.linspace(-15, 15, 21)
    sure = np.ones(1, np.float32)
    hand = HandTrack("hand_1", pair.track.camera, np.array([1001]), points, points, sure, sure)
    seen = replace(pair.role.occlusion, hands=(hand,))
    pictures = FacePictures(pair.role.likeness, seen)
    covered = pictures.hands(plan, Window(60, 30, 200, 150))
    assert covered.shape == (1, 1, 120, 140)
    whole = hand_coverage(points[0], (180, 240))
    assert torch.equal(covered[0, 0], torch.from_numpy(whole[30:150, 60:200]))
    assert covered.max() == 1
    elsewhere = pictures.hands(replace(plan, frame=1002), Window(60, 30, 200, 150))
    assert elsewhere.max() == 0


def half(height=200, width=200, edge=100):
    matte = torch.zeros(1, 1, height, width)
    matte[..., edge:] = 1
    return matte


def test_a_matte_comes_back_in_its_place(find):
    matte, face = half(), torch.ones(1, 1, 200, 200)
    seen = find(matte, torch.full((1, 3, 200, 200), 0.4), face)
    assert (seen.occlusion - matte).abs().mean() < 0.01
    assert (seen.glass.lens - matte).abs().mean() < 0.01


def test_nothing_is_exactly_nothing(find):
    seen = find(half() * 0, torch.full((1, 3, 200, 200), 0.4), torch.ones(1, 1, 200, 200))
    assert seen.occlusion.max() == 0


def test_what_is_beside_the_face_does_not_count(find):
    face = torch.zeros(1, 1, 200, 200)
    face[..., :50] = 1
    seen = find(half(), torch.full((1, 3, 200, 200), 0.4), face)
    assert seen.occlusion.max() == 0


def test_the_knob_finds_more_or_less_or_nothing(find, monkeypatch):
    plate, face = torch.full((1, 3, 200, 200), 0.4), torch.ones(1, 1, 200, 200)
    unsure = half() * 0.02 + 0.49
    totals = [
        float(find(unsure, plate, face, sensitivity=s).occlusion.sum()) for s in (0, 0.5, 1, 2)
    ]
    assert totals[0] == 0
    assert totals[1] < totals[2] < totals[3]
    assert find(half(), plate, face, sensitivity=0).glass.lens.max() == 0


def test_an_edge_of_a_large_face_is_the_plates_own(find):
    """The crop is four times coarser, and the matte is off by two pixels of the plate."""
    plate, face = torch.full((1, 3, 800, 800), 0.3), torch.ones(1, 1, 800, 800)
    plate[..., 402:] = 0.5
    seen = find(half(800, 800, 400), plate, face, zoom=0.25)
    right = half(800, 800, 402)
    own = torch.nn.functional.interpolate(
        torch.nn.functional.avg_pool2d(half(800, 800, 400), 4), scale_factor=4, mode="bilinear"
    )
    assert (seen.occlusion - right).abs().sum() < 0.9 * (own - right).abs().sum()


def test_a_network_is_read_as_it_was_written(tmp_path):
    torch.manual_seed(1)
    network = OcclusionNetwork().eval()
    torch.nn.init.normal_(network.net.head.weight, std=0.1)
    save(tmp_path / "network.safetensors", network, {"steps": 7})
    again, steps = load(tmp_path / "network.safetensors")
    planes = torch.rand(1, CHANNELS, 64, 64)
    assert steps == 7
    assert torch.allclose(again.eval()(planes), network(planes), atol=1e-2)


def test_exposure_and_white_balance_are_no_matter():
    torch.manual_seed(1)
    network = OcclusionNetwork().eval()
    torch.nn.init.normal_(network.net.head.weight, std=0.1)
    planes = torch.rand(1, CHANNELS, 64, 64)
    planes[:, 14] = 1  # covered
    brighter = planes.clone()
    shift = torch.tensor([0.05, -0.1, 0.2]).view(1, 3, 1, 1)
    brighter[:, 0:3] += shift
    brighter[:, 6:9] += shift  # the light
    with torch.inference_mode():
        assert torch.allclose(network(brighter), network(planes), atol=1e-3)
