"""A model of the occluder that crosses a mostly hidden face, learned from its own colours.

`occluders.scores` finds most of it, with ragged edges. Over all frames of a crossing, a ridge
regression (Hoerl and Kennard 1970) on the colours of texel and face, and their products, learns
which are the occluder's. It then decides every texel, and so finds the rest and the edges.
"""

import torch
from torch import Tensor

from lifemask.nodes.faces.runs import split
from lifemask.nodes.render.atlas import atlas, coarse
from lifemask.nodes.render.occluders import MAYBE, SURE, occlusion
from lifemask.nodes.render.texture import Textures

_RECALLED = 8.0  # frames: how far away the unhidden face is taken from
_MIDDLE, _CONTRAST = 0.4, 10.0  # log: they scale colours to about -1 to 1
_RIDGE = 1e-3
_UNDECIDED = 0.3  # weight of a clear case against one half way
_LOW, _HIGH = 0.3, 0.7  # of the prediction: up to here the face, from here on the occluder


def crossings(textures: Textures, score: Tensor, take: Tensor, hidden: Tensor) -> Tensor:
    """The ``score`` (N, 1, 64, 64), replaced in frames in which the face is ``hidden`` (N,).

    ``take`` (N,) numbers the takes of the coarse ``textures``.
    """
    result = score.clone()
    seen = textures.valid * (1 - occlusion(score)) * ~hidden.view(-1, 1, 1, 1)
    for crossing in _runs(hidden, take):
        usual, known = _recalled(textures.colour, seen, take, crossing)
        colour = textures.colour[crossing]
        part = textures.valid[crossing] * known * coarse(atlas().face).to(score.device)
        predicted = _predicted(colour, colour - usual, occlusion(score[crossing]), part)
        share = ((predicted - _LOW) / (_HIGH - _LOW)).clamp(0, 1)
        result[crossing] = torch.where(known > 0, MAYBE + (SURE - MAYBE) * share, score[crossing])
    return result


def _runs(hidden: Tensor, take: Tensor) -> list[Tensor]:
    """The indices of each run of hidden frames."""
    indices = hidden.nonzero()[:, 0]
    if not len(indices):
        return []
    new = (indices.diff() != 1) | (take[indices].diff() != 0)
    return [indices[run] for run in split(new.cpu().numpy())]


def _recalled(colour: Tensor, seen: Tensor, take: Tensor, indices: Tensor) -> tuple[Tensor, Tensor]:
    """The face (T, 3, 64, 64) without the occluder, and where that is known."""
    place = torch.arange(len(colour), device=colour.device)
    apart = (place[None] - indices[:, None]).abs()
    near = torch.exp(-apart / _RECALLED) * (take[None] == take[indices][:, None])
    near = near / near.amax(1, keepdim=True)
    total = torch.einsum("tn,nchw->tchw", near, seen)
    usual = torch.einsum("tn,nchw->tchw", near, colour * seen) / (total + 1e-6)
    return usual, (total > 0.02).float()


def _predicted(colour: Tensor, change: Tensor, found: Tensor, weight: Tensor) -> Tensor:
    """How much each texel (T, 1, 64, 64) is the occluder, given the part that is ``found``."""
    table = _products(torch.cat([colour - _MIDDLE, change], 1) * _CONTRAST)
    clear = weight / (4 * found * (1 - found) + _UNDECIDED)
    rows, sought, trust = (part.permute(0, 2, 3, 1).flatten(0, 2) for part in (table, found, clear))
    rows, sought, trust = rows.double(), sought.double(), trust.double()
    ridge = _RIDGE * trust.sum() * torch.eye(rows.shape[1]).to(rows)
    normal = (rows * trust).T @ rows + ridge + 1e-9 * torch.eye(rows.shape[1]).to(rows)
    factors = torch.linalg.solve(normal, (rows * trust).T @ sought)[:, 0]
    return torch.einsum("tchw,c->thw", table, factors.float())[:, None]


def _products(values: Tensor) -> Tensor:
    """One, the values (T, C, H, W), and all products of two of them."""
    first, second = torch.triu_indices(values.shape[1], values.shape[1])
    return torch.cat(
        [torch.ones_like(values[:, :1]), values, values[:, first] * values[:, second]], 1
    )
