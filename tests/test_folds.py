"""Folds that were drawn into a face are taken off, and put on another; nothing else is."""

import numpy as np
import pytest
import torch

from lifemask.nodes.head.arkit import NAMES
from lifemask.nodes.render.acescct import to_linear
from lifemask.nodes.render.atlas import SIZE, atlas
from lifemask.nodes.render.folds import FOLDING, Calm, bare, fold_regions, folds, relief
from lifemask.nodes.swap.fold_amounts import beyond, calmest, calmness, mixed

ALL = dict.fromkeys(FOLDING, 1.0)
SKIN = torch.from_numpy(sum(fold_regions().values()))[None, None]


def pattern(seed, sigma):
    """Random relief, log, with features of about ``sigma`` texels."""
    noise = torch.randn(1, 1, SIZE, SIZE, generator=torch.Generator().manual_seed(seed))
    radius = max(1, round(3 * sigma))
    taps = torch.exp(-0.5 * (torch.arange(-radius, radius + 1) / sigma) ** 2)
    kernel = (taps / taps.sum()).view(1, 1, 1, -1)
    smooth = torch.nn.functional.conv2d(noise, kernel, padding=(0, radius))
    smooth = torch.nn.functional.conv2d(smooth, kernel.transpose(2, 3), padding=(radius, 0))
    return 0.02 * smooth / smooth.std()


def textured(detail, light=0.4):
    """A face's texture with some ``detail``, log, in even light."""
    log = torch.full((1, 3, SIZE, SIZE), 0.45) + detail
    texture = torch.zeros(SIZE, SIZE, 9)
    texture[..., :3] = to_linear(log)[0].permute(1, 2, 0)
    texture[..., 3] = 1
    texture[..., 4:7] = to_linear(torch.full((SIZE, SIZE, 3), light))
    return texture


def rest(*details):
    found = torch.cat([relief(textured(detail)) for detail in details])
    return Calm.of(found, torch.ones_like(found))


def correlation(a, b):
    return float(np.corrcoef((a * SKIN).flatten(), (b * SKIN).flatten())[0, 1])


def test_a_fold_beyond_the_calm_face_is_found_without_what_is_always_there():
    mark, fold = pattern(1, 1.5), pattern(2, 2.5)
    calm = rest(mark, mark)
    found = folds(relief(textured(mark + fold)), calm, ALL)
    assert correlation(found, fold) > 0.85
    assert abs(correlation(found, mark)) < 0.1
    assert not folds(relief(textured(mark)), calm, ALL).any()


def test_light_and_pores_are_no_folds():
    calm = rest(torch.zeros(1, 1, SIZE, SIZE))
    for other in (pattern(3, 30.0), pattern(4, 0.3)):
        found = folds(relief(textured(other)), calm, ALL)
        assert found.abs().mean() < 0.25 * (other * SKIN).abs().mean()


def test_only_as_much_as_is_asked_for_and_where():
    calm, found = rest(torch.zeros(1, 1, SIZE, SIZE)), relief(textured(pattern(5, 2.5)))
    assert not folds(found, calm, dict.fromkeys(FOLDING, 0.0)).any()
    half = folds(found, calm, dict.fromkeys(FOLDING, 0.5))
    torch.testing.assert_close(2 * half, folds(found, calm, ALL))
    brows = folds(found, calm, ALL | {"cheeks": 0.0, "chin": 0.0})
    forehead = torch.from_numpy(fold_regions()["forehead"])
    assert not brows[0, 0][forehead == 0].any()


def test_what_varies_in_a_calm_face_is_no_fold():
    moods = [pattern(seed, 2.5) for seed in range(6)]
    found = folds(relief(textured(moods[0])), rest(*moods), ALL)
    assert found.abs().mean() < 0.2 * (moods[0] * SKIN).abs().mean()


def test_what_is_not_seen_has_no_folds():
    texture = textured(pattern(7, 2.5))
    texture[:, : SIZE // 2, 3] = 0
    assert not folds(relief(texture), rest(torch.zeros(1, 1, SIZE, SIZE)), ALL)[
        ..., : SIZE // 2 - 1
    ].any()


def test_a_beard_is_not_bare():
    albedo = atlas().albedo.transpose(2, 0, 1).copy()
    albedo[:, 40:50, 20:40] = -0.2
    found = bare(albedo.astype(np.float32))[0, 0]
    assert not found[168:192, 92:148].any()
    skin = torch.from_numpy(atlas().skin) > 0.95
    assert found[:100][skin[:100]].mean() > 0.9


def faces(**shown):
    row = np.zeros(len(NAMES), np.float32)
    for start, value in shown.items():
        row[[name.startswith(start) for name in NAMES]] = value
    return row


@pytest.mark.parametrize("amount", [0.3, 1.0])
def test_what_a_picture_has_beyond_the_frame_goes_and_what_it_lacks_comes(amount):
    frown, smile = faces(browDown=amount), faces(mouthSmile=amount)
    removed, added = beyond(frown, smile), beyond(smile, frown)
    assert removed == {"forehead": pytest.approx(1), "cheeks": 0, "chin": 0}
    assert added == {"forehead": 0, "cheeks": pytest.approx(1), "chin": 0}
    assert not any(beyond(smile, smile).values())
    half = beyond(smile, faces(mouthSmile=amount / 2))
    assert half["cheeks"] == pytest.approx(0.5)


def test_next_to_nothing_is_no_expression():
    assert not any(beyond(faces(browDown=0.03), faces()).values())


def test_a_mix_of_pictures_has_the_mean_expression():
    both = np.stack([faces(jawOpen=1.0), faces()])
    assert mixed(both, {0: 0.25, 1: 0.75})[NAMES.index("jawOpen")] == 0.25


def test_the_calmest_come_first_and_hidden_ones_never():
    shown = np.stack([faces(browDown=0.9), faces(), faces(mouthSmile=0.2), faces(mouthFrown=0.1)])
    usable = np.array([True, True, True, False])
    assert calmest(shown, usable, 2) == [1, 2]
    assert calmness(shown)["forehead"].tolist() == pytest.approx([0, 1, 1, 1], abs=1e-3)
