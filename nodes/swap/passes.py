"""Render the passes of one face of one picture, as a plan says."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from lifemask.nodes.device import device
from lifemask.nodes.refiner.crop import Crop
from lifemask.nodes.refiner.face_passes import FacePasses
from lifemask.nodes.refiner.occlusion_network import SIDE, seen
from lifemask.nodes.render.acescct import STOP
from lifemask.nodes.render.atlas import Floats, atlas, openings
from lifemask.nodes.render.catchlights import with_catchlights
from lifemask.nodes.render.descriptors import mattes
from lifemask.nodes.render.filters import border_blur, dilate, erode, resample
from lifemask.nodes.render.folds import bare, folds, relief
from lifemask.nodes.render.motion_blur import smeared
from lifemask.nodes.render.source_bank import FACE
from lifemask.nodes.render.texture import normals
from lifemask.nodes.render.warp import Shares, View, Window, render
from lifemask.nodes.swap.front import Front
from lifemask.nodes.swap.mouth_interior import interior, with_mouth
from lifemask.nodes.swap.pictures import FacePictures
from lifemask.nodes.swap.plan import FramePlan, ShotPlan
from lifemask.nodes.swap.spectacles import taken_off

if TYPE_CHECKING:
    from lifemask.nodes.swap import Swap

_BLACKEST = 3 * STOP  # below skin: no hair is darker


@dataclass(frozen=True)
class Meshes:
    """Landmarks (478, 3) of the likeness and of the subject in one picture, and their meshes."""

    likeness: Floats
    subject: Floats

    @classmethod
    def of(cls, frame: FramePlan) -> "Meshes":
        """Those of a frame, in the picture's pixels."""
        return cls(frame.landmarks, frame.subject)

    @cached_property
    def target(self) -> Floats:
        """The likeness's mesh, (504, 3)."""
        return _mesh(self.likeness)

    @cached_property
    def own(self) -> Floats:
        """The subject's mesh, (504, 3)."""
        return _mesh(self.subject)

    @property
    def width(self) -> float:
        """Width of the subject's face in pixels."""
        return float(np.ptp(self.own[:468, 0]))


def _on_device(array: Floats) -> Tensor:
    return torch.from_numpy(array).to(device())


def _mesh(landmarks: Floats) -> Floats:
    return np.asarray(atlas().mesh(landmarks[None])[0], np.float32)


def render_passes(
    plan: ShotPlan,
    frame: FramePlan,
    pictures: FacePictures,
    meshes: Meshes,
    window: Window,
    plate: Tensor,
    swap: "Swap",
) -> FacePasses:
    """Render a ``frame`` of a ``plan`` into ``plate`` (1, 3, H, W), log, of the ``window``."""
    view, own = View.of_mesh(meshes.target, window), View.of_mesh(meshes.own, window)
    albedo, subject = _on_device(plan.albedo)[None], _on_device(plan.subject_albedo)[None]
    texture_light, tone = _on_device(frame.light)[None], _on_device(frame.tone)
    light = view.of(texture_light)
    face = matte(view, own, meshes.width, swap.erode)
    corner = np.array([window.x0, window.y0], np.float32)
    features = _on_device(meshes.own[:, :2] - corner)
    sources = pictures.sources(frame)
    picture = render(
        view, sources, frame.openings, albedo, texture_light, tone, (frame.gaze, frame.gaze_turn)
    )
    mouth = interior(view, frame)
    picture = with_mouth(picture, mouth, window, plan, frame, light)
    texture = pictures.subject(frame)
    picture = picture + view.of(_folds(plan, frame, sources[FACE], texture), "bilinear")
    picture = smeared(view, picture, frame.motion)
    landmarks = _on_device(meshes.subject[:, :2] - corner)
    picture = with_catchlights(picture, plate, view, own, features, landmarks)
    predicted = view.of(subject) + light
    carried = torch.lerp(predicted, resample(plate, view.fragments(features)), view.covered)
    known = (subject, texture_light), mattes(texture), pictures.hands(frame, window)
    crop = Crop.of(frame.matrix, plan.size, window, SIDE)
    planes = seen(plate, own, _normal(own, meshes.own), *known, crop)
    bridged = frame.confidence < 1
    front = Front.of(planes, plate, face, crop, swap.occluder_sensitivity, bridged)
    if not swap.spectacles:
        front, carried = taken_off(front, carried, predicted, meshes.width)
    return FacePasses(
        view=view,
        own=own,
        width=meshes.width,
        plate=plate,
        render=_with_mouth(picture, carried, view, frame.mouth),
        shaded=view.of(albedo) + light + tone.view(1, 3, 1, 1),
        carried=carried,
        predicted=predicted,
        light=light,
        normal=_normal(view, meshes.target),
        darker=_darker(view, albedo, own, subject),
        face=face,
        occlusion=front.occlusion,
        glass=front.glass,
        interior=mouth,
    )


def _folds(plan: ShotPlan, frame: FramePlan, shares: Shares, subject: Tensor) -> Tensor:
    """What folds change, (1, 1, SIZE, SIZE), log: the pictures' own go, the subject's come."""
    change = torch.zeros_like(shares[0][1].relief)
    if any(frame.removed_folds.values()):
        own = torch.stack([share * source.relief for share, source in shares]).sum(0)
        change = change - folds(own, plan.calm, frame.removed_folds)
    if any(frame.added_folds.values()):
        mask = bare(plan.albedo) * bare(plan.subject_albedo)
        added = folds(relief(subject), plan.subject_calm, frame.added_folds)
        change = change + added * mask.to(added)
    return change


def _with_mouth(log: Tensor, carried: Tensor, view: View, share: float) -> Tensor:
    """The double's own mouth, to a ``share``, carried between the likeness's lips."""
    return torch.lerp(log, carried, view.of_atlas(openings()["mouth"]) * share) if share else log


def _normal(view: View, mesh: Floats) -> Tensor:
    """Unit normals in the picture's axes, (1, 3, H, W)."""
    vertices = normals(torch.from_numpy(mesh[None]).to(device()))
    return functional.normalize(view.fragments(vertices).permute(0, 3, 1, 2), dim=1)


def _darker(view: View, albedo: Tensor, own: View, subject: Tensor) -> Tensor:
    """By how much less the albedo of the ``subject`` is, (1, 1, H, W), 0 or more, log."""
    both = view.covered * own.covered
    less = (view.of(albedo) - own.of(subject)).mean(1, keepdim=True)
    return less.clamp(0, _BLACKEST) * both


def matte(view: View, own: View, width: float, inward: float) -> Tensor:
    """Where the face may be replaced: the double's face, as far as the likeness reaches.

    ``width`` is the face's in pixels; its edge moves inward by ``inward`` % of that.
    """
    soft = max(1.0, width * 0.01)
    likeness = border_blur(erode(view.covered, max(1, round(2 * soft))), soft)
    face = own.of_atlas(atlas().face) * own.covered
    grow = round(abs(inward) * width / 100)
    if grow:
        face = erode(face, grow) if inward > 0 else dilate(face, grow)
        face = border_blur(face, grow / 2) * own.covered
    return (face * likeness).clamp(0, 1)
