"""Albedo and light of faces that were lit by known lights."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from made_up import SKIN, coarse_blob, faces

from lifemask.nodes.render.acescct import STOP, to_linear
from lifemask.nodes.render.atlas import COARSE, atlas, coarse
from lifemask.nodes.render.light import (
    complexion,
    frame_lights,
    harmonics,
    light_image,
    shading,
    weighted_median,
)
from lifemask.nodes.render.texture import Textures

LIGHTS = torch.tensor([[1.0, 0.45, -0.3, -0.5], [0.6, -0.3, -0.1, -0.35]])


def lights():
    """Two lights (2, 9, 3), one from each side, warm and cold."""
    result = torch.zeros(2, 9, 3)
    result[:, :4] = LIGHTS[..., None] * torch.tensor([[1.2, 1.0, 0.8], [0.9, 1.0, 1.1]])[:, None]
    return result


def albedo():
    """The mean face with two dark spots on the cheeks: no harmonics can tell them as light."""
    start = torch.from_numpy(atlas().albedo).permute(2, 0, 1)
    spots = coarse_blob(20, 36, 3) + coarse_blob(COARSE - 21, 36, 3)
    result = start - 0.08 * spots * torch.tensor([0.8, 1.0, 1.2]).view(3, 1, 1)
    return result - (result * SKIN).sum((1, 2), keepdim=True) / SKIN.sum()


def lit(count=24, seed=1):
    """Textures of a turning head in two takes; the shading, the take of each."""
    blank = faces(count, seed)
    take = torch.arange(count) % 2
    shade = shading(blank.normal, lights()[take], blank.valid)
    noise = torch.from_numpy(np.random.default_rng(seed).normal(0, 0.004, shade.shape)).float()
    return Textures(albedo() + shade + noise, blank.valid, blank.normal), shade, take


@pytest.fixture(scope="module")
def seen():
    textures, shade, take = lit()
    return textures, shade, take, complexion(textures, take)


def known(textures):
    return (textures.valid > 0.5).float().mean(0)[0] * SKIN > 0.3


def test_the_albedo_is_found(seen):
    textures, _, _, person = seen
    error = (person.albedo - albedo())[:, known(textures)]
    before = (torch.from_numpy(atlas().albedo).permute(2, 0, 1) - albedo())[:, known(textures)]
    assert error.abs().quantile(0.95) < 0.25 * STOP
    assert error.std() < 0.5 * before.std()


def test_a_take_of_which_nothing_is_seen_has_no_light(seen):
    textures, _, take, person = seen
    hidden = textures.valid * (take == 0).view(-1, 1, 1, 1)
    found = complexion(Textures(textures.colour, hidden, textures.normal), take)
    assert not found.lights[1].any()
    assert not found.changing.any()
    assert found.lights[0].isfinite().all()
    assert found.lights[0, 0].numpy() == pytest.approx(person.lights[0, 0].numpy(), rel=0.2)
    assert found.albedo.isfinite().all()


def test_a_short_take_counts_as_much_as_a_long_one():
    """What is on the face in one take only, a shadow, is of no albedo, however long the take."""
    textures, _, _ = lit(26)
    shadow = 0.12 * (coarse_blob(22, 42, 3) + coarse_blob(COARSE - 23, 42, 3)) * SKIN
    take = torch.tensor([0] * 20 + [1] * 3 + [2] * 3)
    shade = shading(textures.normal, lights()[[0, 1, 0]][take], textures.valid)
    colour = albedo() + shade - shadow * (take == 0).view(-1, 1, 1, 1)
    own = complexion(Textures(colour[:20], textures.valid[:20], textures.normal[:20]), take[:20])
    every = complexion(Textures(colour, textures.valid, textures.normal), take)
    where = known(textures) & (shadow > 0.06)
    alone, joined = ((person.albedo - albedo())[:, where].mean() for person in (own, every))
    assert alone < -0.03
    assert abs(joined) < 0.3 * abs(alone)


def test_light_and_albedo_together_explain_the_pictures(seen):
    textures, _, take, person = seen
    shade = shading(textures.normal, person.lights[take], textures.valid)
    left = (textures.colour - person.albedo - shade).abs() * known(textures) * textures.valid
    assert left.sum() / (known(textures) * textures.valid).sum() / 3 < 0.2 * STOP


def test_the_light_of_each_take_is_found(seen):
    textures, shade, take, person = seen
    found = shading(textures.normal, person.lights[take], textures.valid)
    weight = known(textures) * textures.valid
    for number in (0, 1):
        own = take == number
        error = (found[own] - shade[own]) * weight[own]
        error = error.sum((0, 2, 3)) / weight[own].sum()
        assert error.abs().max() < 0.3 * STOP


def test_a_light_that_is_steady_serves_its_whole_take(seen):
    textures, _, take, person = seen
    assert not person.changing.any()
    assert torch.equal(frame_lights(textures, person, take), person.lights[take])


def test_a_light_that_changes_is_each_frames_own_as_on_a_stage():
    """Of two takes one flashes, from side to side and in colour; the other one is steady."""
    textures, steady, take = lit(24)
    random = np.random.default_rng(5)
    shares = torch.from_numpy(random.uniform(0.1, 1.0, (24, 2, 1, 3))).float()
    flashing = (shares * lights()).sum(1)
    shade = shading(textures.normal, flashing, textures.valid)
    shade = torch.where((take == 0).view(-1, 1, 1, 1), shade, steady)
    plate = Textures(textures.colour - steady + shade, textures.valid, textures.normal)
    person = complexion(plate, take)
    assert person.changing.tolist() == [1, 0]
    weight = known(plate) * plate.valid

    def error(light):
        wrong = (shading(plate.normal, light, plate.valid) - shade).abs() * weight
        return wrong.sum((1, 2, 3)) / weight.sum((1, 2, 3)) / 3

    own, usual = error(frame_lights(plate, person, take)), error(person.lights[take])
    assert (own[take == 0] < 0.3 * STOP).all()
    assert own[take == 0].mean() < 0.5 * usual[take == 0].mean()
    left = (person.albedo - albedo())[:, known(plate)]
    assert left.abs().quantile(0.95) < 0.25 * STOP


@pytest.mark.parametrize("colour", [(2.0, 2.0, 2.0), (-3.0, -3.0, -3.0), (0.2, 0.5, 2.5)])
def test_a_flash_has_a_light_of_its_own_and_changes_no_other(seen, colour):
    """Two frames of 24, by so many stops of red, green and blue."""
    textures, shade, take, steady = seen
    flash = torch.zeros(24, 3, 1, 1)
    flash[[5, 8]] = torch.tensor(colour).view(3, 1, 1) * STOP
    lit = replace(textures, colour=textures.colour + flash)
    person = complexion(lit, take)
    assert not person.changing.any()
    found = shading(lit.normal, frame_lights(lit, person, take), lit.valid)
    weight = known(lit) * lit.valid
    error = ((found - shade - flash).abs() * weight).sum((1, 2, 3)) / weight.sum((1, 2, 3)) / 3
    assert error[[5, 8]].max() < 0.2 * STOP
    before = shading(lit.normal, frame_lights(textures, steady, take), lit.valid)
    others = [index for index in range(24) if index not in (5, 8)]
    assert ((found - before).abs() * weight)[others].max() < 0.1 * STOP
    assert (person.albedo - steady.albedo)[:, known(lit)].abs().max() < 0.1 * STOP


def test_where_nothing_of_a_frame_is_seen_it_has_the_light_of_its_take(seen):
    textures, _, take, person = seen
    valid = textures.valid.clone()
    valid[4] = 0
    changing = replace(person, changing=torch.ones(2))
    found = frame_lights(replace(textures, valid=valid), changing, take)
    assert torch.equal(found[4], person.lights[take[4]])
    assert not torch.equal(found[5], person.lights[take[5]])


def test_a_soft_shadow_is_in_the_light_image_and_not_in_the_albedo(seen):
    textures, shade, _, person = seen
    shadow = 0.12 * coarse_blob(22, 40, 5)
    colour = textures.colour.clone()
    colour[3] -= shadow
    shaded = Textures(colour, textures.valid, textures.normal)
    before = light_image(textures, person.albedo, shade)
    after = light_image(shaded, person.albedo, shade)
    sure = known(textures) & (textures.valid[3, 0] > 0.5)
    change = (before - after)[3, 1]
    assert torch.corrcoef(torch.stack([change[sure], shadow[sure]]))[0, 1] > 0.97
    assert change[40, 22] == pytest.approx(0.12, abs=0.03)
    assert torch.equal(before[4], after[4])


def test_the_light_image_is_finite_where_nothing_was_seen():
    textures, shade, _ = lit(2)
    hidden = Textures(textures.colour, 0 * textures.valid, textures.normal)
    image = light_image(hidden, albedo(), shade)
    torch.testing.assert_close(image, shade)


def test_light_from_everywhere_is_the_same_everywhere():
    blank = faces(2, 3)
    light = torch.zeros(2, 9, 3)
    light[:, 0] = 0.5
    linear = to_linear(shading(blank.normal, light, blank.valid))
    torch.testing.assert_close(linear, torch.full_like(linear, 0.5), rtol=1e-4, atol=0)


def test_no_side_is_darker_than_a_share_of_the_face():
    blank = faces(2, 3)
    light = torch.zeros(2, 9, 3)
    light[:, 0], light[:, 1] = 0.5, 2.0
    linear = to_linear(shading(blank.normal, light, blank.valid))
    seen = linear[:, 0].flatten()[(blank.valid > 0.05).flatten()]
    assert linear.min() > 0.05 * seen.median()


@settings(max_examples=30)
@given(st.lists(st.tuples(st.floats(-3, 3), st.floats(0.1, 1)), min_size=1, max_size=9))
def test_a_weighted_median_has_half_of_the_weight_on_either_side(pairs):
    values, weights = (torch.tensor(part).view(-1, 1, 1, 1) for part in zip(*pairs, strict=True))
    median = weighted_median(values, weights)
    assert (values == median).any()
    below, above = weights[values < median].sum(), weights[values > median].sum()
    assert max(float(below), float(above)) <= float(weights.sum()) / 2 + 1e-4


def test_skin_is_where_the_albedo_has_no_mean(seen):
    *_, person = seen
    skin = coarse(atlas().skin)[0, 0]
    assert ((person.albedo * skin).sum((1, 2)) / skin.sum()).abs().max() < 5e-3


def test_harmonics_are_orthogonal_over_all_directions():
    normal = torch.randn(1, 3, 400, 400, generator=torch.Generator().manual_seed(1))
    basis = harmonics(torch.nn.functional.normalize(normal, dim=1)).flatten(0, 2)
    gram = basis.T @ basis / len(basis)
    scale = gram.diagonal().sqrt()
    torch.testing.assert_close(gram / scale / scale[:, None], torch.eye(9), atol=0.02, rtol=0)
