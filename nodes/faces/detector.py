"""Where the faces are: BlazeFace on the whole frame, and on tiles for small faces.

Two networks vote: the back-camera one finds turned and tilted faces, the full-range one small ones.
"""

from dataclasses import dataclass
from functools import cache
from math import ceil

import torch

from lifemask.nodes.faces.pyramid import Picture, Tensor, crops, display, gains
from lifemask.nodes.faces.tflite import Network, load

_BATCH = 16
# A frame that is mostly dark or mostly bright hides a face from one exposure, in factors.
_OTHERS = (0.18, 5.6)
# Around a picture that is keyed or framed may be noise: of the mean, what is no part of it.
_FRAME, _SAME = 0.1, 0.5  # and by how many stops that has to change the exposure
# In windows, the smallest face that the full-range network finds; in pixels, the smallest of use.
_SMALLEST_SEEN, _SMALLEST_USED = 0.06, 24


@dataclass(frozen=True)
class Kind:
    """A single-shot detector (BlazeFace, BlazePalm).

    Its file, input size, (stride, anchors a cell) of its grids, least score, the darkest input,
    and how many of the points after a box are used: of a face only the first two, the eyes.
    """

    file: str
    size: int
    grids: tuple[tuple[int, int], ...]
    least: float
    black: float = -1.0
    points: int = 2


BACK = Kind("face_detection_back.tflite", 256, ((16, 2), (32, 6)), 0.65)
FULL = Kind("face_detection_full_range_sparse.tflite", 192, ((4, 1),), 0.6)


@dataclass(frozen=True)
class Found:
    """Faces, best first: ``boxes`` (N, 4) left top right bottom, ``eyes`` (N, 2, 2), ``scores``."""

    boxes: Tensor
    eyes: Tensor
    scores: Tensor


@cache
def _network(kind: Kind) -> Network:
    return load(kind.file)


def anchors(kind: Kind) -> Tensor:
    """Return the middles (A, 2) of the cells, 0..1, that the network's boxes are relative to."""
    parts = []
    for stride, count in kind.grids:
        side = ceil(kind.size / stride)
        y, x = torch.meshgrid(*[(torch.arange(side) + 0.5) / side] * 2, indexing="ij")
        middles = torch.stack([x.flatten(), y.flatten()], 1)
        parts.append(middles.repeat_interleave(count, 0))
    return torch.cat(parts)


def windows(height: int, width: int, tiled: bool) -> Tensor:
    """Return rectangles (N, 5): the letterboxed frame, then if ``tiled`` squares that cover it."""
    longer, side = float(max(height, width)), float(min(height, width))
    result = [(width / 2, height / 2, longer, longer, 0.0)]
    sizes = [
        size
        for size, larger in ((side, longer), (side / 2, side))
        if tiled and size < larger and larger * _SMALLEST_SEEN > _SMALLEST_USED
    ]
    for size in sizes:
        rows, columns = _spread(height, size), _spread(width, size)
        result += [(x, y, size, size, 0.0) for y in rows for x in columns]
    return torch.tensor(result)


def _spread(length: int, size: float) -> list[float]:
    """Return middles of windows that overlap by a quarter: a face on a seam is whole in one."""
    if length <= size:
        return [length / 2]
    count = ceil((length - size) / (size * 0.75)) + 1
    step = (length - size) / (count - 1)
    return [size / 2 + step * number for number in range(count)]


def find(seen: Picture, tiled: bool = True) -> Found:
    """Return the faces of a picture, in its own pixels; none only when no exposure shows one."""
    small = seen.levels[-1]
    usual, lit = gains(small), gains(small, _FRAME)
    others = [usual * factor for factor in _OTHERS]
    if (lit / usual).log2().abs() > _SAME:
        others.insert(0, lit)
    height, width = seen.size
    for exposure in [usual, *others]:
        passes = [(BACK, False), (FULL, tiled)]
        parts = [
            candidates(seen, kind, windows(height, width, tiles), exposure)
            for kind, tiles in passes
        ]
        boxes, eyes, scores = (torch.cat(each) for each in zip(*parts, strict=True))
        if len(boxes):
            break
    return Found(*merged(boxes, eyes, scores))


def candidates(
    seen: Picture, kind: Kind, rects: Tensor, gain: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the boxes (N, 4), points (N, K, 2) and scores (N,) that one network finds.

    It looks at each of the upright ``rects`` (M, 5), exposed by ``gain`` (M,) or (1,). Boxes of one
    thing overlap; those below the least score are left out.
    """
    cells = anchors(kind)
    parts = []
    pairs = zip(rects.split(_BATCH), gain.expand(len(rects)).split(_BATCH), strict=True)
    for window, bright in pairs:
        shown = display(crops(seen, window, kind.size), bright)
        raw, score = _network(kind)(shown.permute(0, 2, 3, 1) * (1 - kind.black) + kind.black)
        sure = torch.sigmoid(score)
        # What the edge of a tile cuts is whole in a neighbour, or in the whole frame.
        inner = window[:, 2] < max(seen.size)
        parts.append(_read(kind, raw / kind.size, sure, cells, window, inner))
    kept = [torch.cat(each) for each in zip(*parts, strict=True)]
    return kept[0], kept[1], kept[2]


def _read(
    kind: Kind, raw: Tensor, score: Tensor, cells: Tensor, window: Tensor, inner: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Return what the network says, in picture pixels."""
    middle, half = raw[..., :2] + cells, raw[..., 2:4] / 2
    boxes = torch.cat([middle - half, middle + half], -1)
    points = raw[..., 4 : 4 + 2 * kind.points].unflatten(-1, (kind.points, 2)) + cells[:, None]
    cut = ((boxes < -0.02) | (boxes > 1.02)).any(-1) & inner[:, None]
    which, anchor = ((score > kind.least) & ~cut).nonzero(as_tuple=True)
    size, origin = window[which, 2, None], window[which, :2] - window[which, 2:4] / 2
    boxes, points = boxes[which, anchor], points[which, anchor]
    boxes = boxes * size + origin.repeat(1, 2)
    return boxes, points * size[:, None] + origin[:, None], score[which, anchor]


def overlap_ratios(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """Return for boxes (N, 4) and (M, 4) intersection over union, and over the smaller (N, M)."""
    low = torch.maximum(a[:, None, :2], b[None, :, :2])
    high = torch.minimum(a[:, None, 2:4], b[None, :, 2:4])
    common = (high - low).clamp(min=0).prod(-1)
    first = (a[:, 2:4] - a[:, :2]).prod(-1)[:, None]
    second = (b[:, 2:4] - b[:, :2]).prod(-1)[None]
    union = (first + second - common).clamp(min=1e-9)
    return common / union, common / torch.minimum(first, second).clamp(min=1e-9)


def merged(boxes: Tensor, points: Tensor, scores: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return one box for each thing, the best first: the average of those that agree, by score.

    Averaging is steadier than keeping the best. A box inside another is the same thing.
    """
    order = scores.argsort(descending=True)
    boxes, points, scores = boxes[order], points[order], scores[order]
    union, inside = overlap_ratios(boxes, boxes)
    left = torch.ones(len(scores), dtype=torch.bool)
    rows = []
    for best in range(len(scores)):
        if not left[best]:
            continue
        agree = left & (union[best] > 0.3)
        left &= ~(agree | (inside[best] > 0.7))
        weight = scores[agree] / scores[agree].sum()
        box = (boxes[agree] * weight[:, None]).sum(0)
        rows.append((box, (points[agree] * weight[:, None, None]).sum(0), scores[best]))
    if not rows:
        return boxes, points, scores
    kept = [torch.stack(each) for each in zip(*rows, strict=True)]
    return kept[0], kept[1], kept[2]
