"""Refine a rendered face: the network with the weights of a model."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from lifemask.nodes import archive
from lifemask.nodes.amp import mixed_inference
from lifemask.nodes.errors import BrokenFileError, KnobError
from lifemask.nodes.faceset.files import atlas_layout
from lifemask.nodes.memory import is_full
from lifemask.nodes.refiner.crop import Crop, shown
from lifemask.nodes.refiner.face_passes import FacePasses
from lifemask.nodes.refiner.network import Prediction, Refiner
from lifemask.nodes.refiner.weights import pack, unpack
from lifemask.nodes.render.acescct import STOP, to_linear
from lifemask.nodes.render.composite import blended
from lifemask.nodes.render.filters import blur, border_blur

KIND = "model"
VERSION = 2

_AROUND = 0.02  # of the face's width, in which a doubt counts
_SHARED = 1.5  # pixels of a coarse crop: sigma up to which the finer one has its say
_SPARED = 0.5  # of a change in eyes: all of it would darken an iris until its pupil is lost


@dataclass(frozen=True)
class Refined:
    """The refined face, planes (1, C, H, W): ``picture`` and ``doubt`` are log."""

    picture: Tensor
    face: Tensor
    doubt: Tensor

    def over(self, plate: Tensor, passes: FacePasses, edge: float) -> tuple[Tensor, Tensor, Tensor]:
        """The picture, its alpha, and the composite over ``plate`` (1, 3, H, W); all linear.

        ``edge`` is the width of the blend in % of the face's.
        """
        double = to_linear(passes.predicted)
        face = passes.glass.before(
            to_linear(self.picture), plate, double, passes.light, passes.width
        )
        raw = torch.lerp(plate, face, passes.view.covered)
        alpha = self.face * (1 - passes.occlusion)
        shaven = plate * torch.exp2(passes.darker / STOP)
        return raw, alpha, blended(plate, raw, alpha, passes.width * edge / 100, shaven)


def bare(passes: FacePasses) -> Refined:
    """The render as it is; doubted as far as the re-rendered double is unlike the plate."""
    return Refined(passes.render, passes.face, _unlike(passes))


def _unlike(passes: FacePasses) -> Tensor:
    """How far the re-rendered double is from the plate, (1, 1, H, W), log."""
    apart = (passes.carried - passes.predicted).abs().mean(1, keepdim=True)
    return blur(apart, max(1.0, _AROUND * passes.width))


@dataclass(frozen=True)
class RefinerModel:
    """The network, and the ``size`` in pixels of the largest crops that it was trained on.

    ``about`` is its provenance: training data, time and licence.
    """

    network: Refiner
    size: int
    about: Mapping[str, Any]
    digest: str = "unsaved"

    @classmethod
    def load(cls, path: Path) -> "RefinerModel":
        """Read a model; raises BrokenFileError when it is incomplete or of another version."""
        arrays, about = archive.load(path, KIND)
        try:
            if about["version"] != VERSION:
                raise ValueError(
                    f"its version is {about['version']}, this is {VERSION}: "
                    "restart its training, or remove its folder"
                )
            if about["geometry"] != atlas_layout():
                raise ValueError("it is for facesets with another texture layout")
            if about["members"] < 1:
                raise ValueError("it has no members")
            network, weights = Refiner(about["width"], about["members"]), unpack(arrays)
            network.load_state_dict(weights)
            if not all(weight.isfinite().all() for weight in weights.values()):
                raise ValueError("it has weights that are not finite")
            size = int(about["size"])
        except RuntimeError as error:
            if is_full(error):
                raise
            raise BrokenFileError(f"{path}: its weights are not those of the refiner") from error
        except (KeyError, TypeError, ValueError) as error:
            raise BrokenFileError(f"{path}: not a model of this version ({error})") from error
        return cls(
            network.copy_to_device().eval().requires_grad_(False),
            size,
            about,
            sha256(path.read_bytes()).hexdigest(),
        )

    @classmethod
    def ensemble(cls, models: "Sequence[RefinerModel]") -> "RefinerModel":
        """A model with the networks of all of them; raises KnobError when their widths differ."""
        widths = [one.network.width for one in models]
        if len({*widths}) > 1:
            raise KnobError(f"start: an ensemble needs models of one width, these have {widths}")
        if len(models) == 1:
            return models[0]
        digests = [one.digest for one in models]
        about: dict[str, Any] = {"together": digests}
        for key in ("learned from", "licence"):
            values = [one.about[key] for one in models if key in one.about]
            about[key] = "; ".join(dict.fromkeys(values))
        about["trained"] = [run for one in models for run in one.about.get("trained", [])]
        network = Refiner.ensemble([one.network for one in models])
        return cls(network, max(one.size for one in models), about, " ".join(digests))

    def save(self, path: Path) -> None:
        """Write the weights and their provenance."""
        shape = {"width": self.network.width, "members": len(self.network.members)}
        own = {"version": VERSION, "geometry": atlas_layout(), "size": self.size, **shape}
        archive.save(path, KIND, pack(self.network.state_dict()), {**self.about, **own})

    @torch.inference_mode()
    def __call__(self, passes: FacePasses, crops: Sequence[Crop], share: float) -> Refined:
        """Refine a face, seen in ``crops`` of the same square, coarse first.

        A ``share`` of what it would change is changed.
        """
        height, width = passes.plate.shape[-2:]
        prediction = self._blended(passes, crops)
        residual, matte, uncertainty = crops[-1].give(prediction, height, width).split([3, 1, 1], 1)
        eyes = passes.openings[:, :1].clamp(0, 1)
        changed = (1 - _SPARED * eyes) * (1 - passes.interior) * passes.view.covered
        picture = passes.render + share * residual * changed
        face = moved_matte(passes.face, matte)
        return Refined(picture, face, torch.maximum(_unlike(passes), uncertainty))

    def _blended(self, passes: FacePasses, crops: Sequence[Crop]) -> Tensor:
        """The prediction for the finest of the ``crops``, (1, 5, S, S).

        The network knows light from the whole face, of which it sees less the finer a crop is: each
        crop but the first adds only the detail that the one before is too coarse for.
        """
        total, *finer = (self._planes(passes, crop) for crop in crops)
        for planes in finer:
            size = planes.shape[-1]
            detail = planes - border_blur(planes, _SHARED * size / total.shape[-1])
            total = border_blur(total, _SHARED)
            total = functional.interpolate(total, size=size, mode="bicubic") + detail
        return total

    @torch.inference_mode()
    def predict(self, shown: Tensor) -> Prediction:
        """Return the prediction for `crop.shown`; in mixed precision where a card gains from it."""
        with mixed_inference():
            prediction: Prediction = self.network(shown)
        return prediction

    def _planes(self, passes: FacePasses, crop: Crop) -> Tensor:
        prediction = self.predict(shown(passes, crop))
        return torch.cat([prediction.residual, prediction.matte, prediction.uncertainty], 1)


def loaded(path: Path) -> RefinerModel:
    """Return the model of a file; one that this process has read is not read again."""
    try:
        stat = path.stat()
    except OSError:
        return RefinerModel.load(path)  # which says what is wrong
    return _kept(path, (stat.st_ino, stat.st_mtime_ns, stat.st_size))


@lru_cache(1)
def _kept(path: Path, changed: tuple[int, int, int]) -> RefinerModel:
    return RefinerModel.load(path)


def moved_matte(face: Tensor, logit: Tensor) -> Tensor:
    """A matte moved by ``logit``: what is 0 or 1, or beyond as a cubic filter has it, is so."""
    face = face.clamp(0, 1)
    odds = face * torch.exp(logit.clamp(-6, 6))
    return odds / (odds + (1 - face)).clamp(min=1e-6)
