"""The refiner's parts, each against what is known: numbers, moves and mattes."""

import math
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from made_up import opinionated

from lifemask.nodes.faces.face_space import OVERSAMPLING
from lifemask.nodes.learning import train_refiner
from lifemask.nodes.learning.augment import jitter
from lifemask.nodes.learning.augment.beards import AlbedoChange
from lifemask.nodes.learning.augment.jitter import JitterConfig, jittered, random_windows
from lifemask.nodes.learning.data import alignment
from lifemask.nodes.learning.data.cycle_pairs import CyclePairs, cycle_pairs
from lifemask.nodes.learning.data.distillation import distilled
from lifemask.nodes.learning.data.examples import (
    PLANES,
    Batch,
    Kind,
)
from lifemask.nodes.learning.data.planned_swap import PlannedSwap
from lifemask.nodes.learning.losses import detail_loss, losses, total
from lifemask.nodes.refiner.crop import (
    CANDIDATES,
    CHANNELS,
    COVERS,
    LIGHT,
    NORMAL,
    OPENINGS,
    PLATE,
    STEP,
    Crop,
    shown,
    side,
    sides,
    worthwhile,
)
from lifemask.nodes.refiner.model import RefinerModel, bare, moved_matte
from lifemask.nodes.refiner.network import Prediction, Refiner, detail_preserving
from lifemask.nodes.refiner.versions import BASE
from lifemask.nodes.render import flow
from lifemask.nodes.render.atlas import COARSE, SIZE
from lifemask.nodes.render.filters import blur, border_blur, erode, masked_blur
from lifemask.nodes.render.warp import View, Window
from lifemask.nodes.swap import Swap
from lifemask.nodes.types import Model


@pytest.fixture(scope="module")
def passes(pair):
    """Return the passes of the fourth frame in face space, and the crop of 64 pixels of it."""
    planned = PlannedSwap.of(pair.likeness, pair.double, Swap())
    frame, meshes, window = planned.in_face_space(3)
    with torch.inference_mode():
        made = planned.passes(frame, meshes, window, planned.plate_picture(3))
    return made, Crop.of_face_space(window.x1, 64)


def guess(size, seed=0):
    """What is shown of a face that there is not: smooth colours, mattes of a disk."""
    torch.manual_seed(seed)
    shown = 0.4 + 0.1 * blur(torch.randn(2, CHANNELS, size, size), 2) * 2
    away = torch.linspace(-1, 1, size)
    disk = (away[None] ** 2 + away[:, None] ** 2 < 0.7).float()
    shown[:, OPENINGS.start :] = disk
    shown[:, OPENINGS] *= (away < 0).float()
    return shown


# The network


def test_exposure_and_white_balance_of_everything_change_nothing():
    network, shown = opinionated(), guess(64)
    other = shown.clone()
    other[:, : LIGHT.stop] += torch.tensor([0.2, -0.1, 0.05]).repeat(6)[None, :, None, None]
    before, after = network(shown), network(other)
    assert (before.residual.std(), before.matte.std()) > (0.01, 0.01)
    for name in ("residual", "matte", "uncertainty"):
        assert torch.allclose(getattr(before, name), getattr(after, name), atol=3e-3)


def test_the_exposure_of_the_plate_alone_does_change_something():
    network, shown = opinionated(), guess(64)
    other = shown.clone()
    other[:, PLATE] += 0.1
    assert (network(shown).residual - network(other).residual).abs().max() > 0.01


@pytest.mark.parametrize("size", [64, 96, 128, 256, 512])
def test_every_multiple_of_32_pixels_is_answered(size):
    prediction = opinionated()(guess(size))
    assert prediction.residual.shape == (2, 3, size, size)
    assert prediction.matte.shape == prediction.uncertainty.shape == (2, 1, size, size)
    assert all(torch.isfinite(plane).all() for plane in (prediction.residual, prediction.matte))
    assert (prediction.uncertainty > 0).all()


def test_one_that_learned_nothing_is_the_bare_render():
    shown = guess(64)
    prediction = Refiner(8)(shown)
    candidates = shown[:, CANDIDATES].unflatten(1, (3, 3))
    apart = (candidates[:, 1:] - candidates[:, :1]).abs().amax()
    assert prediction.residual.abs().max() < 0.1 * apart
    assert not prediction.matte.any()


def test_members_answer_alone_in_turn_and_their_mean_together():
    shown, members = guess(64), [opinionated(seed=1), opinionated(seed=2)]
    both = Refiner.ensemble(members)
    alone = [one(shown) for one in members]
    for turn in range(4):
        assert torch.equal(both(shown, turn).residual, alone[turn % 2].residual)
    whole = both(shown)
    torch.testing.assert_close(whole.matte, (alone[0].matte + alone[1].matte) / 2)
    near = [(whole.residual - one.residual).abs().mean() for one in alone]
    assert max(near) < 0.8 * (alone[0].residual - alone[1].residual).abs().mean()
    more = Refiner.ensemble([both, members[0]])
    assert [len(one.members) for one in (both, more)] == [2, 3]
    assert torch.equal(more(shown, 2).residual, alone[0].residual)


def test_what_is_fine_stays_the_likenesss_own():
    change = opinionated()(guess(128)).residual
    fine = change - blur(change, 1)
    assert fine.std() < 0.2 * change.std()


def spot(radius: float) -> torch.Tensor:
    """A dark spot (1, 3, 96, 96) at (60, 40), log: what it takes away."""
    x, y = torch.meshgrid(torch.arange(96.0), torch.arange(96.0), indexing="xy")
    dark = 0.06 * torch.exp(-((x - 60) ** 2 + (y - 40) ** 2) / (2 * radius**2))
    return dark.expand(1, 3, 96, 96)


def test_a_mole_stays_whatever_would_take_it_away_and_light_changes_as_it_is_told():
    x = torch.arange(96.0)
    mole = spot(1.2)
    light = 0.1 * torch.sigmoid((x - 30) / 3).expand(1, 3, 96, 96)
    render = 0.4 - mole
    # What would be nearest to a truth whose mole is elsewhere: none at all.
    picture = render + detail_preserving(light + mole, render)
    assert (light - picture + 0.4)[0, :, 40, 60].min() > 0.7 * mole.max()
    away = (mole < 1e-4).expand(1, 3, 96, 96)
    assert ((picture - 0.4 - light) * away).abs().max() < 0.003
    # Detail that is added is added.
    torch.testing.assert_close(detail_preserving(-mole, render), -mole)


def test_a_freckle_of_several_pixels_stays_too():
    freckle = spot(2)
    picture = 0.4 - freckle + detail_preserving(freckle, 0.4 - freckle)
    assert (0.4 - picture)[0, :, 40, 60].min() > 0.7 * freckle.max()


def test_half_precision_rounds_light_and_no_detail():
    network, shown = opinionated(), guess(64)
    with torch.autocast("cpu", torch.bfloat16):
        half = network(shown).residual
    full = network(shown).residual
    off = half - full
    assert 0 < off.abs().max() < 0.1 * full.abs().max()
    assert (off - blur(off, 1)).std() < 0.3 * off.std()


# The crop


def waves(x, y, length):
    """Smooth colours (..., 2) at any place in pixels."""
    return torch.stack([torch.sin(x * 6.28 / length), torch.cos((x + 2 * y) * 2.8 / length)], -1)


def centres(height, width):
    """Where the pixels are: x and y (height, width)."""
    y, x = torch.meshgrid(torch.arange(height) + 0.5, torch.arange(width) + 0.5, indexing="ij")
    return x, y


@st.composite
def similarities(draw):
    """Matrices (2, 3) about the middle of a window of 110 by 90 pixels, to a crop of 64."""
    scale, angle = draw(st.floats(0.25, 3)), draw(st.floats(-3.2, 3.2))
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    at = np.array([draw(st.floats(40, 70)), draw(st.floats(30, 60))])
    return np.concatenate([turn, (32 - turn @ at)[:, None]], 1).astype(np.float32)


@settings(max_examples=60)
@given(similarities())
def test_a_crop_shows_what_is_there_and_gives_it_back_to_its_place(matrix):
    crop, scale = Crop(64, matrix), float(np.linalg.norm(matrix[0, :2]))
    length = 30 * max(1, 1 / scale)
    x, y = centres(90, 110)
    window = waves(x, y, length).permute(2, 0, 1)[None]
    taken = crop.take(window)
    inverse = np.linalg.inv(np.concatenate([matrix, [[0, 0, 1]]]))
    there = np.stack([*centres(64, 64), torch.ones(64, 64)], -1) @ inverse.T.astype(np.float32)
    right = waves(*(torch.from_numpy(there[..., i]) for i in (0, 1)), length).permute(2, 0, 1)
    rim = 3 / min(scale, 1)
    inside = ((there[..., :2] > rim) & (there[..., :2] < np.array([110, 90]) - rim)).all(-1)
    assert (taken[0] - right).abs()[:, inside].max() < 0.03
    back = crop.give(taken, 90, 110)[0]
    seen = np.stack([x, y, torch.ones_like(x)], -1) @ matrix.T
    known = ((seen > 3) & (seen < 61)).all(-1)
    ours = crop.give(torch.from_numpy(inside.astype(np.float32))[None, None], 90, 110)[0, 0] > 0.999
    sure = ours & torch.from_numpy(known)
    assert (back - window[0]).abs()[:, sure].numpy().max(initial=0) < 0.06


def across(side, turn, period):
    """A picture, ``side`` pixels a side, with a wave of so many pixels across."""
    x, y = centres(side, side)
    along = (x - side / 2) * math.cos(turn) + (y - side / 2) * math.sin(turn)
    return torch.cos(along * (2 * math.pi / period))[None, None]


@settings(max_examples=60)
@given(st.floats(0.1, 1.5), st.floats(3.5, 12), st.floats(0, 3.1))
def test_a_face_of_any_size_is_as_sharp_in_an_example_as_in_a_swap(scale, period, turn):
    # A pixel of the plate is `scale` of the crop's; face space has 1.5 of its own for one.
    shown, period = [], period * max(1, scale)
    for finer in (1, OVERSAMPLING):
        side, zoom = math.ceil(64 * finer / scale) + 24, scale / finer
        matrix = np.array([[zoom, 0, 32 - zoom * side / 2], [0, zoom, 32 - zoom * side / 2]])
        crop = Crop(64, matrix.astype(np.float32), finer)
        shown.append(crop.take(across(side, turn, period / zoom))[0, 0, 4:-4, 4:-4])
    plate, example = shown
    right = across(64, turn, period)[0, 0, 4:-4, 4:-4]
    contrast = [float((one * right).mean() / right.square().mean()) for one in shown]
    assert abs(contrast[0] - contrast[1]) < 0.15
    assert min(contrast) > (0.85 if period > 6 else 0.45)
    assert (plate - example).abs().max() < 0.25


def test_a_crop_is_coarser_without_a_step():
    contrast = []
    for scale in np.geomspace(0.12, 2, 200):
        side = math.ceil(64 / scale) + 24
        offset = 32 - scale * side / 2
        crop = Crop(64, np.array([[scale, 0, offset], [0, scale, offset]], np.float32))
        contrast.append(float(crop.take(across(side, 0.3, 4 / scale))[..., 4:-4, 4:-4].std()))
    assert np.abs(np.diff(contrast)).max() < 0.03


def test_what_a_crop_cannot_show_is_not_in_it():
    for scale in (0.1, 0.2, 0.3, 0.4, 0.5):
        side = math.ceil(64 / scale) + 24
        offset = 32 - scale * side / 2
        crop = Crop(64, np.array([[scale, 0, offset], [0, scale, offset]], np.float32))
        assert crop.take(across(side, 0.3, 1.1 / scale)).std() < 0.1


def test_a_crop_is_the_middle_of_face_space_in_whatever_window():
    matrix = np.array([[0.8, 0.1, 20], [-0.1, 0.8, 30]], np.float32)
    whole, part = Window(0, 0, 300, 300), Window(40, 70, 200, 260)
    crop, other = (Crop.of(matrix, 352, window, 64) for window in (whole, part))
    middle = np.linalg.solve(matrix[:, :2], np.array([176, 176]) - matrix[:, 2])
    assert np.allclose(crop.matrix @ [*middle, 1], 32, atol=1e-3)
    assert np.allclose(other.matrix @ [middle[0] - 40, middle[1] - 70, 1], 32, atol=1e-3)
    assert np.allclose(np.linalg.norm(crop.matrix[0, :2]), 0.8062 * 64 / 352 * 24 / 21, atol=1e-3)


# The truth, moved


def test_a_smooth_move_is_found_whatever_the_light():
    size, random = 128, np.random.default_rng(1)
    noise = torch.from_numpy(random.normal(size=(1, 3, size, size)).astype(np.float32))
    truth = (0.4 + 0.2 * blur(noise, 1.5)[0]).numpy()
    y, x = np.mgrid[:size, :size].astype(np.float32)
    off = np.stack([1.5 * np.sin(y / 25) + 0.5, 1.2 * np.cos(x / 30)], -1).astype(np.float32)
    render = flow.carried(truth, off) + 0.1 * np.sin(x / 40)
    weight = np.ones((size, size), np.float32)
    found = alignment.move(render.astype(np.float32), truth, weight)
    inside = slice(12, -12)
    error = np.linalg.norm(found - off, axis=-1)[inside, inside]
    assert np.median(error) < 0.3
    assert np.median(np.linalg.norm(off, axis=-1)[inside, inside]) > 1
    again = flow.carried(truth, found)[:, inside, inside]
    assert np.abs(again - flow.carried(truth, off)[:, inside, inside]).mean() < 0.003


def test_what_does_not_count_moves_nothing():
    random = np.random.default_rng(2).normal(0.4, 0.1, (2, 3, 64, 64)).astype(np.float32)
    found = alignment.move(random[0], random[1], np.zeros((64, 64), np.float32))
    assert np.array_equal(found, np.zeros((64, 64, 2)))


# Beards


@pytest.mark.parametrize("seed", range(5))
def test_a_beard_is_found_as_albedo_and_as_light_and_nothing_is_lost(seed):
    albedo_change = AlbedoChange.drawn(np.random.default_rng(seed))
    albedo, light = albedo_change.known()
    coarse = torch.nn.functional.avg_pool2d(albedo_change.pattern, SIZE // COARSE)[0]
    assert torch.allclose(albedo + light, coarse, atol=1e-6)
    assert light.abs().max() <= 0.51 * coarse.abs().max()


def test_a_beard_is_on_the_face_only(pair, passes):
    _, meshes, window = PlannedSwap.of(pair.likeness, pair.double, Swap()).in_face_space(3)
    own = View.of_mesh(meshes.own, window)
    plate = passes[0].plate
    drawn = (AlbedoChange.drawn(np.random.default_rng(seed)) for seed in range(20))
    albedo_change = next(one for one in drawn if one.pattern.min() < -0.05)
    worn = albedo_change.on(plate, own)
    off = own.covered.expand_as(plate) == 0
    assert torch.equal(worn[off], plate[off])
    found = own.of(sum(albedo_change.known())[None]) * own.covered
    left = blur(worn - plate - found, 4).abs().mean() / blur(worn - plate, 4).abs().mean()
    assert left < 0.2


# The loss


def answered(example, picture):
    """The answer that makes ``picture`` of an example."""
    nothing = torch.zeros_like(example.weight)
    return Prediction(picture - example.candidates[:, 0], nothing, nothing + 0.01)


def test_nothing_is_nearer_than_the_truth_and_light_costs_less_than_softness(cycle_examples):
    example = cycle_examples.batch(range(len(cycle_examples)))

    def cost(picture):
        parts = losses(answered(example, picture), example)
        return float(parts["l1"]), float(parts["ssim"])

    here, soft, lit = (
        cost(p) for p in (example.truth, blur(example.truth, 1.5), example.truth + 0.005)
    )
    assert here == pytest.approx((0, 0), abs=1e-5)
    assert soft[1] > 0.1
    assert sum(lit) < sum(soft)
    assert lit[0] > 0
    assert lit[1] < 0.2 * soft[1]


def test_where_nothing_is_sure_a_soft_picture_costs_more_than_another_of_the_kind():
    torch.manual_seed(3)
    grain, other = (blur(torch.randn(1, 3, 64, 64), 0.8) * 0.05 for _ in range(2))
    inside = torch.zeros(1, 1, 64, 64)
    inside[..., 8:-8, 8:-8] = 1

    def cost(picture):
        return float(detail_loss(picture, grain, inside))

    assert cost(other * 0.2) > 1.2 * cost(other)
    assert cost(grain) < 0.2 * cost(other)
    assert cost(grain + 0.1) == pytest.approx(cost(grain), abs=0.01)
    assert cost(grain) < cost(grain * 2) == pytest.approx(cost(grain * 0.5), rel=0.1)


def test_what_does_not_count_costs_nothing(cycle_examples):
    example = cycle_examples.batch([0, 1])
    blind = replace(example, weight=torch.zeros_like(example.weight))
    parts = losses(answered(blind, blind.truth + 1), blind)
    assert {name: float(parts[name]) for name in ("l1", "ssim", "detail", "uncertainty")} == {
        "l1": 0,
        "ssim": 0,
        "detail": 0,
        "uncertainty": 0,
    }


def test_the_cheapest_doubt_is_the_honest_one(cycle_examples):
    example = Batch.of(cycle_examples.batch([0, 1]).planes, Kind.RENDERED)
    prediction = answered(example, example.truth + 0.02)
    costs = {
        said: float(
            losses(replace(prediction, uncertainty=prediction.uncertainty * 0 + said), example)[
                "uncertainty"
            ]
        )
        for said in (0.005, 0.01, 0.015, 0.02, 0.025, 0.04, 0.08)
    }
    assert min(costs, key=costs.get) == 0.02


def test_the_total_is_of_all_parts(cycle_examples):
    example = cycle_examples.batch([0])
    parts = losses(answered(example, example.truth + 0.01), example)
    for name in parts:
        more = {**parts, name: parts[name] + 1}
        assert total(more) > total(parts)


# Examples


def test_a_moved_example_is_moved_in_all_of_its_planes_and_its_normals_turn():
    turned = JitterConfig(angle=0.5, zoom=0, shift=0, exposure=0)
    axis = (torch.arange(64) + 0.5) / 32 - 1
    disk = (axis[None] ** 2 + axis[:, None] ** 2 < 0.6).float()
    planes = torch.zeros(8, PLANES, 64, 64)
    # Where normals point away from the middle, a turn of the picture changes nothing at all.
    planes[:, NORMAL.start], planes[:, NORMAL.start + 1] = axis[None] * disk, axis[:, None] * disk
    planes[:, PLATE] = (axis[None] * disk)[None]
    after = jittered(Batch.of(planes), config=turned)
    inside = axis[None] ** 2 + axis[:, None] ** 2 < 0.5
    assert (after.shown[:, NORMAL] - planes[:, NORMAL])[..., inside].abs().max() < 0.05
    assert (after.shown[:, PLATE] - planes[:, PLATE])[..., inside].abs().max() > 0.2


@given(st.integers(0, 10_000), st.sampled_from([32, 64, 96]), st.integers(0, 64))
def test_a_window_is_one_place_of_all_planes_and_much_is_learned_there(seed, side, corner):
    torch.manual_seed(seed)
    planes = torch.zeros(3, PLANES, 128, 128)
    planes[:, :-2] = torch.arange(128.0**2).view(128, 128)
    whole = Batch.of(planes)
    whole.weight[..., corner : corner + 64, corner : corner + 64] = 1
    window = random_windows(whole, side)
    assert window.planes.shape == (3, PLANES, side, side)
    first = window.shown[:, :1, :1, :1]
    steps = torch.arange(side)[:, None] * 128 + torch.arange(side)
    assert torch.equal(window.shown, (first + steps).expand_as(window.shown))
    rows, columns = (first // 128).long().flatten(), (first % 128).long().flatten()
    for place, (row, column) in enumerate(zip(rows, columns, strict=True)):
        there = whole.weight[place, :, row : row + side, column : column + side]
        assert torch.equal(window.weight[place], there)
    assert (window.weight.sum((1, 2, 3)) > 0.4 * min(side, 64) ** 2).all()
    assert torch.equal(random_windows(whole, 128).planes, whole.planes)
    whole.weight[:] = 0
    assert random_windows(whole, side).planes.shape == window.planes.shape


def test_windows_are_drawn_everywhere_on_a_face():
    torch.manual_seed(0)
    planes = torch.zeros(64, PLANES, 64, 64)
    planes[:, 0] = torch.arange(64.0**2).view(64, 64)
    whole = Batch.of(planes)
    whole.weight[:] = 1
    corners = random_windows(whole, 32).shown[:, 0, 0, 0]
    rows, columns = corners // 64, corners % 64
    for places in (rows, columns):
        assert places.min() <= 4
        assert places.max() >= 28


def test_a_mirrored_example_is_mirrored_in_all_of_its_planes(cycle_examples, monkeypatch):
    monkeypatch.setattr(jitter, "_moved", lambda planes, warped, config: planes)
    torch.manual_seed(5)
    chosen = [0, 1, 2, 3] * 6
    before = cycle_examples.batch(chosen)
    after = jittered(before)
    flipped = Batch.of(before.planes.flip(3))
    normals = flipped.shown[:, NORMAL] * torch.tensor([-1, 1, 1]).view(1, 3, 1, 1)
    mirrored = (after.truth == flipped.truth).flatten(1).all(1)
    assert 0 < mirrored.sum() < len(chosen)
    for place, is_mirrored in enumerate(mirrored.tolist()):
        other = flipped if is_mirrored else before
        turned = normals if is_mirrored else before.shown[:, NORMAL]
        assert torch.equal(after.shown[place, NORMAL], turned[place])
        for planes in (slice(9, NORMAL.start), slice(NORMAL.stop, CHANNELS)):
            assert torch.equal(after.shown[place, planes], other.shown[place, planes])
        for name in ("truth", "weight", "matte"):
            assert torch.equal(getattr(after, name)[place], getattr(other, name)[place])
        off = after.candidates[place] - other.candidates[place]
        assert torch.allclose(off, off[:1, :, :1, :1].expand_as(off), atol=1e-5)


def test_an_example_is_a_face_with_its_truth_on_the_render_s_geometry(cycle_examples):
    assert len(cycle_examples) > 10
    every = cycle_examples.batch(range(len(cycle_examples)))
    assert torch.isfinite(every.planes).all()
    assert (every.weight.mean((1, 2, 3)) > 0.1).all()
    counts = every.weight.expand_as(every.truth) > 0.9
    assert (every.candidates[:, 0] - every.truth)[counts].abs().mean() < 0.05
    assert (every.shown[:, PLATE] - every.truth)[counts].abs().mean() > 0.002


# Cycle pairs


def pairs_of(pair, take, frame, sound):
    faces = replace(pair.double.faces, take=np.array(take), frame=np.array(frame))
    own = replace(pair.double, faces=faces)
    return CyclePairs(own, pair.likeness, None, {own.folder: np.array(sound)})


@given(
    frames=st.lists(st.integers(0, 60), min_size=2, max_size=20, unique=True).map(sorted),
    cut=st.integers(0, 20),
    broken=st.sets(st.integers(0, 19), max_size=3),
)
def test_a_frame_is_served_by_no_neighbour_and_by_nothing_broken(pair, frames, cut, broken):
    take = [int(place >= cut) for place in range(len(frames))]
    sound = [place not in broken for place in range(len(frames))]
    excluded = pairs_of(pair, take, frames, sound).excluded()
    assert excluded.diagonal().all()
    assert excluded[:, ~np.array(sound)].all()
    for place, row in enumerate(excluded):
        mine = [other for other in range(len(frames)) if take[other] == take[place]]
        apart = {other: abs(frames[other] - frames[place]) for other in mine if sound[other]}
        left = {other for other in apart if not row[other]}
        assert all(apart[other] > min(8, max(apart.values()) / 2) for other in left)
        others = sum(sound) - len(apart)
        assert bool(left) == (others < 3 and max(apart.values(), default=0) > 0)


def test_what_cannot_be_served_by_another_picture_is_no_example(pair, small):
    likeness, double = pair.likeness, pair.double
    model = RefinerModel.load(small.path)
    (played, _) = cycle_pairs([pair.facesets], model)
    sound = {faceset.folder: np.ones(len(faceset), bool) for faceset in (likeness, double)}
    sound[double.folder][1:] = False
    assert list(replace(played, usable=sound).examples(64, 100)) == []


# Self-distillation


def test_a_distilled_example_is_what_the_model_makes_of_the_swap_itself(pair, small):
    model = RefinerModel.load(small.path)
    made = list(distilled(pair.facesets, model, 64, 3))
    assert len(made) == min(3, len(pair.double))
    for one in made:
        assert torch.isfinite(one.planes).all()
        prediction = model.network(one.shown)
        found = losses(prediction, one)
        assert found["l1"] < 1e-6
        assert found["ssim"] < 1e-4
        nothing = losses(
            replace(prediction, residual=torch.zeros_like(prediction.residual) + 0.01), one
        )
        assert nothing["l1"] > found["l1"]


def test_what_is_easier_than_a_swap_teaches_no_certainty(pair, small, cycle_examples):
    """A cycle pair fits better than a swap, and a distilled example is right by itself."""
    model = RefinerModel.load(small.path)
    (one,) = distilled(pair.facesets, model, 64, 1)
    for easy in (one, cycle_examples.batch([0])):
        prediction = model.network(easy.shown)
        surer = replace(prediction, uncertainty=prediction.uncertainty / 10)
        assert losses(prediction, easy)["uncertainty"] == losses(surer, easy)["uncertainty"] == 0
        rendered = Batch.of(easy.planes, Kind.RENDERED)
        assert losses(prediction, rendered)["uncertainty"] != losses(surer, rendered)["uncertainty"]


def test_of_what_is_learned_together_only_renders_get_occluders(cycle_examples, monkeypatch):
    monkeypatch.setattr(train_refiner, "jittered", lambda batch, warped: batch)
    batch = cycle_examples.batch([0, 1] * 12)
    rendered = torch.arange(24) % 2 == 0
    mixed = Batch.of(batch.planes, torch.where(rendered, Kind.RENDERED, Kind.FILMED))
    torch.manual_seed(5)
    after = train_refiner.augmented(mixed)
    changed = (after.planes != mixed.planes).flatten(1).any(1)
    assert torch.equal(changed, rendered)
    assert torch.equal(after.kind, mixed.kind)


# The refiner


def test_outside_of_the_mesh_nothing_changes_and_doubt_only_grows(passes):
    made, crop = passes
    refiner = RefinerModel(opinionated(), 64, {})
    plain, half, done = bare(made), refiner(made, [crop], 0.5), refiner(made, [crop], 1)
    outside = made.view.covered.expand_as(made.render) == 0
    assert outside.any()
    assert torch.equal(done.picture[outside], plain.picture[outside])
    assert (done.picture - plain.picture)[~outside].abs().mean() > 0.005
    some, most = ((one.picture - plain.picture).abs() for one in (half, done))
    assert torch.allclose(some, 0.5 * most, atol=1e-6)
    assert not torch.equal(done.face, plain.face)
    for still in (0, 1):
        assert (plain.face == still).any()
        assert (done.face[plain.face == still] == still).all()
    assert (done.doubt >= plain.doubt).all()


def test_in_eyes_half_of_a_change_is_done_and_in_a_mouth_all_of_it(passes):
    made, crop = passes
    refiner = RefinerModel(opinionated(), 64, {})
    done = refiner(made, [crop], 1).picture - made.render
    told = crop.give(refiner.network(shown(made, crop)).residual, *made.plate.shape[-2:])
    eyes, mouth = (part.expand_as(told) > 0.999 for part in made.openings.split(1, 1))
    assert (told[eyes].abs() > 1e-4).any()
    torch.testing.assert_close(done[eyes], 0.5 * told[eyes], atol=1e-4, rtol=2e-3)
    torch.testing.assert_close(done[mouth], told[mouth], atol=1e-4, rtol=2e-3)


@given(st.floats(-0.2, 1.2), st.floats(-100, 100), st.floats(0, 50))
def test_a_moved_matte_is_a_matte_and_follows_its_logit(face, logit, more):
    low, high = (
        float(moved_matte(torch.tensor(face), torch.tensor(x))) for x in (logit, logit + more)
    )
    assert 0 <= low <= high + 1e-6 <= 1 + 2e-6
    if not 0 < face < 1:
        assert low == high == min(max(face, 0), 1)


def test_a_crop_of_another_size_says_the_same(passes):
    made, _ = passes
    refiner = RefinerModel.load(BASE.path)
    crops = (Crop.of_face_space(made.plate.shape[-1], size) for size in (128, 256))
    one, two = (refiner(made, [crop], 1).picture for crop in crops)
    face = made.face.expand_as(one) > 0.5
    assert (one - two).abs()[face].mean() < (one - made.render).abs()[face].mean()


def test_a_finer_crop_says_only_what_a_coarse_one_cannot(passes):
    made, _ = passes
    refiner = RefinerModel(opinionated(), 64, {})
    coarse, fine = (Crop.of_face_space(made.plate.shape[-1], size) for size in (64, 128))
    inside = made.view.covered.expand_as(made.render)

    def done(*crops):
        picture = refiner(made, crops, 1).picture
        level = masked_blur(picture - made.render, made.view.covered, 12) * inside
        return level, (picture - border_blur(picture, 1)) * erode(inside, 8)

    (low, _), (other, high), (level, detail) = done(coarse), done(fine), done(coarse, fine)
    _, rough = done(coarse)
    assert (level - low).abs().mean() < 0.25 * (other - low).abs().mean()
    assert (detail - high).abs().mean() < 0.5 * (rough - high).abs().mean()
    same, again = (refiner(made, crops, 1) for crops in ([fine], [fine, fine]))
    torch.testing.assert_close(same.picture, again.picture, atol=1e-5, rtol=1e-5)


@given(st.floats(0.5, 400), st.sampled_from([64, 256, 512, 1024]))
def test_a_large_face_is_seen_ever_finer(scale, learned):
    chosen = sides(scale, learned)
    plate = min(1024, math.ceil(scale * COVERS / STEP) * STEP)
    assert chosen[0] == side(scale, min(learned, 256))
    assert plate / 1.25 <= chosen[-1] <= max(chosen[0], plate)
    assert all(one < two <= 2 * one for one, two in pairwise(chosen))


def test_a_face_that_is_small_for_once_is_not_looked_at_finer_than_it_is():
    def looks(scale):
        middle = np.array([[scale, 0, 0], [0, scale, 0]], np.float32)
        window = Window(0, 0, 2000, 2000)
        crops = [Crop.of(middle, 1000, window, size) for size in (256, 512, 1024)]
        return [crop.size for crop in worthwhile(crops)]

    assert looks(1.0) == [256, 512, 1024]
    assert looks(4.0) == [256, 512]
    assert looks(8.0) == [256]


@given(st.floats(0.5, 400), st.sampled_from([64, 256, 512, 1024]))
def test_a_crop_has_the_pixels_of_the_plate_and_of_the_base(scale, most):
    pixels = side(scale, most)
    assert pixels % STEP == 0
    assert min(most, 256) <= pixels <= most
    assert pixels in (min(most, 256), most) or -0.01 <= pixels - scale * COVERS <= STEP


def test_small_faces_look_the_same_to_a_model_of_large_ones(pair, tmp_path):
    plate = replace(pair.plate, sequence=replace(pair.plate.sequence, frames=(1002,)))
    base = RefinerModel.load(BASE.path)
    made = []
    for size in (base.size, 2 * base.size):
        model = tmp_path / f"{size}.safetensors"
        replace(base, size=size).save(model)
        (frame,) = Swap()(plate, [pair.role], Model(model))
        made.append(frame.channels["R"])
    assert np.array_equal(*made)


def test_between_two_networks_every_weight_is_the_mean():
    one, two = Refiner(8, 2), Refiner(8, 2)
    mean = one.averaged_with(two).state_dict()
    for name, weight in mean.items():
        torch.testing.assert_close(weight, (one.state_dict()[name] + two.state_dict()[name]) / 2)
