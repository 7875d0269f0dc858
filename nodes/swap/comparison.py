"""The plate's frames, compared with the pictures of the likeness."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from lifemask.nodes.render.atlas import Floats, openings
from lifemask.nodes.render.descriptors import FaceDescriptors
from lifemask.nodes.render.source_bank import POINTS, SourceBank


@dataclass(frozen=True, eq=False)
class Compared:
    """T frames compared with N pictures: ``costs`` (T, N) by region, and the mouths' misfit (T, N).

    ``openings`` has the dark (T,) and bright (T, 3) end of each; ``light`` is (T, 3, 64, 64). Log.
    """

    costs: dict[str, Tensor]
    misfit: Tensor
    openings: dict[str, tuple[Tensor, Tensor]]
    light: Floats

    @classmethod
    def of(cls, bank: SourceBank, frames: FaceDescriptors) -> "Compared":
        """Compare some frames with all pictures."""
        return cls(
            bank.costs(frames),
            bank.misfit("mouth", frames),
            {name: frames.opening(name) for name in openings()},
            frames.light.cpu().numpy(),
        )

    @classmethod
    def joined(cls, parts: "list[Compared]") -> "Compared":
        """All of ``parts``, one after the other."""
        opened = {
            name: (
                torch.cat([part.openings[name][0] for part in parts]),
                torch.cat([part.openings[name][1] for part in parts]),
            )
            for name in openings()
        }
        return cls(
            {name: torch.cat([part.costs[name] for part in parts]) for name in POINTS},
            torch.cat([part.misfit for part in parts]),
            opened,
            np.concatenate([part.light for part in parts]),
        )
