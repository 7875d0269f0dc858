"""Separate a face's log albedo from the light on it.

In the log of scene-linear light a texture is albedo plus light. Second-order harmonics of the
normals (Ramamoorthi and Hanrahan 2001) separate them, since the light of a take is constant while
the head turns in it; where it is not, as on a stage, each frame has a light of its own. The light
image, which is transferred to the likeness, is the texture less the albedo.
"""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from lifemask.nodes.render.acescct import STOP, to_linear, to_log
from lifemask.nodes.render.atlas import atlas, coarse, openings, per_atlas
from lifemask.nodes.render.filters import blur, masked_blur
from lifemask.nodes.render.texture import Textures

ROUNDS = 8
_FLOOR = 0.3  # of the median light: harmonics may not go darker, or nostrils turn white
_RIDGE, _HELD = 3e-3, 0.05  # of the mean stiffness: a take's light, and a frame's to its take's
_CHANGES = (0.75, 0.6)  # residual of the frames' own lights over the take's: below, it changes
# Stops from its take's light, from which a frame has its own; heads that turn reach .25.
_FLASH = (0.35, 0.7)
_FEW = 0.25  # of a take's frames: where more flash, its light is not steady
_SYMMETRY = 1.0  # texels above which an albedo is the same on both sides
_FINE, _WIDE, _FALLBACK = 1.0, 6.0, 0.02  # texels, texels, trust in the wide mean
_ALBEDO_SPREAD = 0.06  # log: an albedo this far from skin's is a poor place to read light from


@dataclass(frozen=True)
class Complexion:
    """A person's skin, and the light on it.

    The ``albedo`` (3, COARSE, COARSE) is log and has zero mean over the skin; the ``lights``
    (takes, 9, 3) that it was seen in are linear harmonics, in the picture's axes. How far each is
    ``changing`` (takes,) from frame to frame is 0..1.
    """

    albedo: Tensor
    lights: Tensor
    changing: Tensor


def harmonics(normal: Tensor) -> Tensor:
    """The nine second-order harmonics (N, H, W, 9) of normals (N, 3, H, W), unnormalised."""
    x, y, z = normal.unbind(1)
    one = torch.ones_like(x)
    return torch.stack([one, x, y, z, x * y, x * z, y * z, x * x - y * y, 3 * z * z - 1], -1)


def shading(normal: Tensor, light: Tensor, where: Tensor) -> Tensor:
    """Log shading (N, 3, H, W) of normals (N, 3, H, W) under ``light`` (N, 9, 3).

    ``where`` (N, 1, H, W) counts for the median that sets the floor.
    """
    linear = torch.einsum("nhwk,nkc->nchw", harmonics(normal), light)
    floors = []
    for picture, weight in zip(linear, where[:, 0] > 0.05, strict=True):
        typical = picture[:, weight] if weight.any() else picture.flatten(1)
        floors.append(_FLOOR * typical.median(1).values)
    floor = torch.stack(floors)[..., None, None].clamp(min=1e-5)
    return to_log(torch.maximum(linear, floor))


def complexion(textures: Textures, take: Tensor) -> Complexion:
    """Separate albedo and light of one person's coarse ``textures``; ``take`` (N,) numbers them.

    Alternates between the light of every take, given the albedo (robust least squares), and the
    albedo, given the lights (weighted median over the frames), from the mean face's albedo on;
    once more with the lights of single frames where a take's light changes.
    Every take counts the same, however long: what is light in one is not in the others.
    """
    none = textures.valid.new_zeros(int(take.max()) + 1)
    steady = _alternated(textures, take, none, none[take])
    flash = _rare(_own_share(textures, steady, take), take)
    if flash.any():
        steady = _alternated(textures, take, none, flash)
    changing = _changing(textures, take, steady, 1 - flash)
    if not changing.any():
        return steady
    own = _own_share(textures, replace(steady, changing=changing), take)
    return _alternated(textures, take, changing, own)


def _alternated(textures: Textures, take: Tensor, changing: Tensor, own: Tensor) -> Complexion:
    """Lights and albedo in turn, given how far each take's light is ``changing`` (takes,).

    Each frame has its ``own`` (N,) to a share.
    """
    device = textures.colour.device
    start, skin = torch.from_numpy(atlas().albedo).permute(2, 0, 1).to(device), _skin(device)
    person = Complexion(start, torch.zeros(len(changing), 9, 3, device=device), changing)
    length = torch.bincount(take).to(textures.valid)[take].view(-1, 1, 1, 1)
    counted = textures.valid * (length.mean() / length)
    flash = (own - changing[take]).view(-1, 1, 1, 1)
    usual = replace(textures, valid=textures.valid * (1 - flash))
    free = torch.tensor([0.0] + [_RIDGE] * 8)
    for _ in range(ROUNDS):
        lights = person.lights.clone()
        for number in take.unique().tolist():
            part = usual.only(take == number)
            lights[number] = _fit(part, person.albedo, torch.zeros_like(lights[number]), free)
        person = replace(person, lights=lights)
        each = _lights(textures, person, take, own)
        shade = shading(textures.normal, each, textures.valid * skin)
        person = replace(person, albedo=_albedo(textures.colour - shade, counted, start, skin))
    return person


def frame_lights(textures: Textures, person: Complexion, take: Tensor) -> Tensor:
    """The light (N, 9, 3) on each of the ``textures``: its take's, its own where that changes."""
    return _lights(textures, person, take, _own_share(textures, person, take))


def _lights(textures: Textures, person: Complexion, take: Tensor, own: Tensor) -> Tensor:
    """The light (N, 9, 3) on each of the ``textures``: its ``own`` (N,) to a share."""
    result, level = person.lights[take], torch.exp2(_levels(textures, person, take) / STOP)
    for index in own.nonzero()[:, 0].tolist():
        one = textures.only(slice(index, index + 1))
        light = _fit(one, person.albedo, result[index] * level[index], torch.full((9,), _HELD))
        result[index] = torch.lerp(result[index], light, own[index])
    return result


def _own_share(textures: Textures, person: Complexion, take: Tensor) -> Tensor:
    """The weight (N,) of each frame's own light, 0..1.

    A frame has its own where its take's light changes, or where it is much brighter, darker or of
    another colour than the take, as in a flash.
    """
    stops = _levels(textures, person, take).abs().amax(1) / STOP
    usual, flash = _FLASH
    return torch.maximum(person.changing[take], ((stops - usual) / (flash - usual)).clamp(0, 1))


def _levels(textures: Textures, person: Complexion, take: Tensor) -> Tensor:
    """How much brighter each frame (N, 3) is than in its take's light, log; 0 if unseen."""
    left, weight = _residual(textures, person, person.lights[take])
    result = left.new_zeros(len(take), 3)
    for index, seen in enumerate(weight[:, 0] > 0.05):
        if seen.any():
            result[index] = left[index][:, seen].median(1).values
    return result


def _residual(textures: Textures, person: Complexion, lights: Tensor) -> tuple[Tensor, Tensor]:
    """The residual (N, 3, H, W), log, of ``lights`` (N, 9, 3) and albedo, and its weight."""
    weight = textures.valid * _skin(lights.device)
    shade = shading(textures.normal, lights, weight)
    return textures.colour - person.albedo - shade, weight


def _rare(flash: Tensor, take: Tensor) -> Tensor:
    """Which frames (N,) are flashes in steady light: only few frames of their take are."""
    lit = torch.zeros(int(take.max()) + 1).to(flash).index_add(0, take, (flash > 0).to(flash))
    return flash * (lit <= _FEW * torch.bincount(take))[take]


def _changing(textures: Textures, take: Tensor, person: Complexion, counted: Tensor) -> Tensor:
    """How far each take's light (takes,) changes, 0..1; ``counted`` (N,), 0..1, weighs the frames.

    Frames' own lights always leave a smaller residual, but in steady light not much smaller. A take
    without a visible face counts as steady.
    """
    sums = []
    for lights in (_lights(textures, person, take, counted), person.lights[take]):
        left, weight = _residual(textures, person, lights)
        total = (left.abs().mean(1, keepdim=True) * weight).sum((1, 2, 3)) * counted
        sums.append(torch.zeros_like(person.changing).index_add(0, take, total))
    own, usual = (each + 1e-6 for each in sums)
    steady, unsteady = _CHANGES
    return ((steady - own / usual) / (steady - unsteady)).clamp(0, 1)


def _fit(textures: Textures, albedo: Tensor, usual: Tensor, ridge: Tensor) -> Tensor:
    """The light (9, 3) on the ``textures``, by iteratively reweighted least squares (Cauchy).

    A ``ridge`` (9,), as a share of the mean stiffness, holds it to the ``usual`` (9, 3), which is
    the result where nothing is seen.
    """
    light = to_linear(textures.colour) * torch.exp2(-albedo / STOP)
    weight = textures.valid * _skin(albedo.device)
    used = weight[:, 0] > 0.05
    if not used.any():
        return usual
    basis = harmonics(textures.normal)[used].double()
    seen, trust = light.permute(0, 2, 3, 1)[used].double(), weight[:, 0][used].double()[:, None]
    ridge, usual = ridge.to(basis), usual.double()
    count = trust
    for _ in range(6):
        normal = (basis * count).T @ basis
        held = torch.diag((normal.trace() / 9 + 1e-9) * ridge)
        # No lstsq: torch's rounds differently depending on its uninitialised memory.
        result: Tensor = torch.linalg.solve(normal + held, (basis * count).T @ seen + held @ usual)
        error = (seen - basis @ result).abs().mean(1, keepdim=True)
        count = trust / (1 + (error / (1.5 * error.median() + 1e-9)) ** 2)
    return result.float()


@per_atlas
def _skin(device: torch.device) -> Tensor:
    """The skin from which light is read, (1, 1, COARSE, COARSE)."""
    return coarse(atlas().skin).to(device)


def _albedo(reflected: Tensor, valid: Tensor, start: Tensor, skin: Tensor) -> Tensor:
    """Median over the frames, and the mean face's albedo where no frame shows it; symmetric."""
    median = weighted_median(reflected, valid)
    seen = well_seen(valid)
    albedo = torch.where(seen > 0.05, median, start)
    both = (seen * seen.flip(-1)).clamp(min=1e-4)[None]
    uneven = masked_blur((albedo - albedo.flip(-1))[None], both, _SYMMETRY)[0]
    albedo = albedo - uneven / 2
    weight = skin[0] * seen
    return albedo - (albedo * weight).sum((1, 2), keepdim=True) / (weight.sum() + 1e-6)


def well_seen(valid: Tensor) -> Tensor:
    """How well texels (1, H, W) were seen, 0..1; ``valid`` (N, 1, H, W) in a tenth is enough."""
    return (valid.sum(0) / (0.1 * len(valid))).clamp(0, 1)


def weighted_median(values: Tensor, weight: Tensor) -> Tensor:
    """Median over the first axis of ``values`` (N, C, H, W), ``weight`` (N, 1, H, W)."""
    return weighted_quantile(values, weight, 0.5)


def weighted_quantile(values: Tensor, weight: Tensor, share: float) -> Tensor:
    """Quantile ``share`` over the first axis of ``values`` (N, C, H, W), weighted: (C, H, W)."""
    order = values.argsort(0)
    ranked = values.gather(0, order)
    total = (weight + 1e-6).expand_as(values).gather(0, order).cumsum(0)
    place = (total >= total[-1:] * share).int().argmax(0, keepdim=True)
    return ranked.gather(0, place)[0]


def light_image(textures: Textures, albedo: Tensor, shade: Tensor) -> Tensor:
    """The light (N, 3, COARSE, COARSE) on each frame, log: texture less albedo, smoothed.

    Read from bare skin; over eyes, mouth, brows and beard the harmonics continue it.
    """
    device = albedo.device
    opening = torch.stack([coarse(map_) for map_ in openings().values()]).sum(0).clamp(0, 1)
    plain = (2 - albedo.abs().amax(0, keepdim=True) / _ALBEDO_SPREAD).clamp(0.02, 1)
    weight = textures.valid * (1 - opening.to(device)) * plain
    left = textures.colour - albedo - shade
    wide = masked_blur(left, weight, _WIDE)
    fine = blur(left * weight, _FINE) + _FALLBACK * wide
    return fine / (blur(weight, _FINE) + _FALLBACK) + shade
