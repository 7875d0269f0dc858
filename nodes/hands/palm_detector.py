"""Where the palms are: BlazePalm on the whole frame, and on a square around each face.

A hand before a small face is missed on the whole frame.
"""

import torch

from lifemask.nodes.faces.detector import Kind, candidates, merged, windows
from lifemask.nodes.faces.pyramid import Picture, Tensor, crops, gains

PALM = Kind("palm_detection_full.tflite", 192, ((8, 2), (16, 6)), 0.5, black=0.0, points=7)
"""Its input, anchors and least score are those of MediaPipe's graph palm_detection_cpu."""

_AROUND = 2.5  # side of the square around a face, in widths of the face
_LARGE = 0.5  # of the frame's longer side: a square that gains less than a factor of two
_MOST = 4  # faces that are searched, the largest
_WRIST, _MIDDLE = 0, 2  # of a palm's points: the wrist, and the knuckle of the middle finger
_ENLARGE, _SHIFT = 2.6, 0.5


def palms(seen: Picture, faces: Tensor) -> Tensor:
    """Return a rectangle (N, 5) that frames the hand of each palm, the surest first.

    ``faces`` (M, 5) are squares of the width of the faces. Rectangles are those of MediaPipe's
    graph palm_detection_detection_to_roi: fingers up, palm and fingers inside.
    """
    rects = torch.cat([windows(*seen.size, tiled=False), _around(seen, faces)])
    boxes, points, _ = merged(*candidates(seen, PALM, rects, gains(crops(seen, rects, 32))))
    return _rects(boxes, points)


def _around(seen: Picture, faces: Tensor) -> Tensor:
    """Return the upright squares around faces that show more than the whole frame does."""
    largest = faces[faces[:, 2].argsort(descending=True)[:_MOST]].clone()
    largest[:, 2:4] *= _AROUND
    largest[:, 4] = 0
    return largest[largest[:, 2] < _LARGE * max(seen.size)]


def _rects(boxes: Tensor, points: Tensor) -> Tensor:
    fingers = points[:, _MIDDLE] - points[:, _WRIST]
    angle = torch.atan2(fingers[:, 0], -fingers[:, 1])
    extent = boxes[:, 2:] - boxes[:, :2]
    up = torch.stack([angle.sin(), -angle.cos()], 1)
    middle = (boxes[:, :2] + boxes[:, 2:]) / 2 + up * (_SHIFT * extent[:, 1:])
    side = extent.amax(1) * _ENLARGE
    return torch.stack([middle[:, 0], middle[:, 1], side, side, angle], 1)
