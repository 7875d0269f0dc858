"""What finishes a rendered face: the refiner with the weights of a model."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from lifemask.nodes import archive
from lifemask.nodes.errors import BrokenFileError
from lifemask.nodes.face_set import atlas_layout
from lifemask.nodes.refiner.crop import Crop, shown
from lifemask.nodes.refiner.network import Refiner
from lifemask.nodes.refiner.stage import Stage
from lifemask.nodes.render.blend import blended
from lifemask.nodes.render.curve import to_linear
from lifemask.nodes.render.front import doubt

KIND = "model"
VERSION = 1


@dataclass(frozen=True)
class Finished:
    """What a stage becomes, planes (1, C, H, W): ``picture`` and ``doubt`` are log."""

    picture: Tensor
    face: Tensor
    doubt: Tensor

    def over(self, plate: Tensor, stage: Stage, edge: float) -> tuple[Tensor, Tensor, Tensor]:
        """The picture, its alpha, and the composite over ``plate`` (1, 3, H, W); all linear.

        ``edge`` is the width of the blend in % of the face's.
        """
        raw = torch.lerp(plate, to_linear(self.picture), stage.view.covered)
        alpha = self.face * (1 - stage.occlusion)
        return raw, alpha, blended(plate, raw, alpha, stage.width * edge / 100)


def bare(stage: Stage) -> Finished:
    """The render as it is; doubted as far as the re-rendered double is unlike the plate."""
    return Finished(stage.render, stage.face, _unlike(stage))


def _unlike(stage: Stage) -> Tensor:
    return doubt(stage.carried - stage.predicted, stage.width)


@dataclass(frozen=True)
class Finisher:
    """The network, and the ``size`` in pixels of the largest crops that it was trained on.

    ``about`` says what it learned from, for how long, under which licence.
    """

    network: Refiner
    size: int
    about: Mapping[str, Any]
    digest: str = "unsaved"

    @classmethod
    def load(cls, path: Path) -> "Finisher":
        """Read a model; raises BrokenFileError when it is not a whole one of this version."""
        arrays, about = archive.load(path, KIND)
        try:
            if about["version"] != VERSION:
                raise ValueError(f"its version is {about['version']}, this is {VERSION}")
            if about["geometry"] != atlas_layout():
                raise ValueError("it is for facesets whose textures are laid out otherwise")
            network = Refiner(about["width"])
            weights = {name: torch.from_numpy(a.astype(np.float32)) for name, a in arrays.items()}
            network.load_state_dict(weights)
            if not all(weight.isfinite().all() for weight in weights.values()):
                raise ValueError("it has weights that are not finite")
            size = int(about["size"])
        except RuntimeError as error:
            raise BrokenFileError(f"{path}: its weights are not those of the refiner") from error
        except (KeyError, TypeError, ValueError) as error:
            raise BrokenFileError(f"{path}: not a model of this version ({error})") from error
        return cls(
            network.twin().eval().requires_grad_(False),
            size,
            about,
            sha256(path.read_bytes()).hexdigest(),
        )

    def save(self, path: Path) -> None:
        """Write the weights as half floats, and what there is to know of them."""
        weights = self.network.state_dict()
        arrays = {name: w.detach().cpu().numpy().astype(np.float16) for name, w in weights.items()}
        own = {"version": VERSION, "geometry": atlas_layout(), "width": self.network.width}
        archive.save(path, KIND, arrays, {**self.about, **own, "size": self.size})

    @torch.inference_mode()
    def __call__(self, stage: Stage, crop: Crop, share: float) -> Finished:
        """Finish a stage, seen in a ``crop``; a ``share`` of what it would change is changed.

        On bare skin it is half as much again: where a share is a half, three quarters.
        """
        height, width = stage.plate.shape[-2:]
        answer = self.network(shown(stage, crop))
        planes = torch.cat([answer.change, answer.matte, answer.spread], 1)
        change, matte, spread = crop.give(planes, height, width).split([3, 1, 1], 1)
        # By its features a person is known, and a change seldom gets these to the pixel.
        held = (share * (1.5 - stage.features / 2)).clamp(0, 1)
        picture = stage.render + held * change * stage.view.covered
        face = moved_matte(stage.face, matte)
        return Finished(picture, face, torch.maximum(_unlike(stage), spread))


def moved_matte(face: Tensor, logit: Tensor) -> Tensor:
    """A matte moved by ``logit``: what is 0 or 1, or beyond as a cubic filter has it, is so."""
    face = face.clamp(0, 1)
    odds = face * torch.exp(logit.clamp(-6, 6))
    return odds / (odds + (1 - face)).clamp(min=1e-6)
