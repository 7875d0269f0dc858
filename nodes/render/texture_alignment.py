"""Find a mostly hidden face by aligning its own texture with the picture.

The pose comes from Gauss-Newton steps on the difference between the picture and the texture of a
frame that shows the face well. Texels that an occluder hides do not fit and hardly count (Cascia,
Sclaroff and Athitsos 2000, with the weights of Geman and McClure).
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from lifemask.nodes.render.filters import border_blur, resample

WIDTH = 112.0
"""Width of the face in the pictures, in pixels."""

_BLURS = (4.0, 2.0, 1.2)  # pixels
_STEPS = 8
_FITS = 0.02  # log: a difference of this much counts a quarter
_SMALL, _MOST = 0.01, 0.05  # change of a pose's parameter: for the gradient, and at most in a step
_DONE = 3e-4
_ONWARD = 0.7  # of the last motion: where the search starts in the next frame
_JERK = 60.0  # cost of an unsteady pose


@dataclass(frozen=True)
class Poses:
    """N poses, ``numbers`` (N, 6): turn after ``rotation`` (3, 3), log scale, centre / WIDTH.

    The turn is a rotation vector in the picture's axes, the scale pixels a centimetre.
    """

    numbers: Tensor
    rotation: Tensor

    def put(self, points: Tensor) -> Tensor:
        """Points (N, K, 3), in centimetres, projected into the picture: (N, K, 3)."""
        x, y, z = self.numbers[:, :3].unbind(1)
        zero = torch.zeros_like(x)
        skew = torch.stack([zero, -z, y, z, zero, -x, -y, x, zero], 1).unflatten(1, (3, 3))
        linear = torch.linalg.matrix_exp(skew) @ self.rotation
        turned: Tensor = points @ linear.transpose(1, 2) * self.numbers[:, 3].exp()[:, None, None]
        turned[..., :2] += self.numbers[:, None, 4:] * WIDTH
        return turned


@dataclass(frozen=True)
class Stretch:
    """T frames, of which the first and the last show the face well.

    ``pictures`` (T, 3, H, W) are log, ``points`` (T, K, 3) on the face in centimetres. ``valid``
    (2, K) is how well each point is seen in the two ends, ``ends`` (4, 6) are the poses of these
    and of the frames before and after: numbers as in `Poses`, with one ``rotation`` (3, 3).
    """

    pictures: Tensor
    points: Tensor
    valid: Tensor
    ends: Tensor
    rotation: Tensor

    def aligned(self) -> tuple[Poses, Tensor]:
        """The poses of all T frames, and the visible share of the face in each (T,)."""
        share = torch.linspace(0, 1, len(self.points), device=self.points.device)
        forward, backward = self._followed()
        numbers = torch.lerp(forward, backward, share[:, None])
        for sigma in _BLURS[1:]:
            numbers, seen = self._steadied(numbers, share, sigma)
        return Poses(numbers, self.rotation), seen

    def _followed(self) -> tuple[Tensor, Tensor]:
        """The poses (T, 6) from each end on its own, followed frame by frame."""
        last = len(self.points) - 1
        blurred = [border_blur(self.pictures, sigma) for sigma in _BLURS]
        ends = self.ends[1:3]
        wanted = [self._seen(log[[0, last]], ends, self.points[[0, last]])[:, 0] for log in blurred]
        path, before = [ends], ends
        for step in range(1, last):
            now = [step, last - step]
            numbers = path[-1] + _ONWARD * (path[-1] - before)
            before = path[-1]
            for log, reference in zip(blurred, wanted, strict=True):
                numbers = self._fitted(log[now], numbers, self.points[now], reference)
            path.append(numbers)
        path.append(torch.stack([ends[1], ends[0]]))
        forward, backward = torch.stack(path).unbind(1)
        return forward, backward.flip(0)

    def _fitted(self, log: Tensor, numbers: Tensor, points: Tensor, reference: Tensor) -> Tensor:
        for _ in range(_STEPS):
            normal, slope, _ = self._normal(log, numbers, points, reference, self.valid)
            firm = normal.diagonal(dim1=1, dim2=2).mean(1)[:, None, None] * 1e-3 + 1e-9
            normal = normal + firm * torch.eye(6).to(normal)
            move = -torch.linalg.solve(normal, slope).float().clamp(-_MOST, _MOST)
            numbers = numbers + move
            if move.abs().max() < _DONE:
                break
        return numbers

    def _steadied(self, numbers: Tensor, share: Tensor, sigma: float) -> tuple[Tensor, Tensor]:
        """All frames solved together, without jerks, to match both ends; and the visible share."""
        log = border_blur(self.pictures, sigma)
        ends = [0, len(share) - 1]
        references = self._seen(log[ends], self.ends[1:3], self.points[ends])[:, 0]
        nearness = torch.stack([1 - share, share])[:, 1:-1].double()
        count = len(share) - 2
        jerk = _second_differences(count).to(nearness)
        for _ in range(_STEPS):
            normal, slope = nearness.new_zeros(count, 6, 6), nearness.new_zeros(count, 6)
            seen = nearness.new_zeros(count)
            for near, reference, valid in zip(nearness, references, self.valid, strict=True):
                parts = self._normal(
                    log[1:-1], numbers[1:-1], self.points[1:-1], reference, valid[None]
                )
                normal += near[:, None, None] * parts[0]
                slope += near[:, None] * parts[1]
                seen += near * parts[2]
            around = torch.cat([self.ends[:1], numbers, self.ends[3:]]).double()
            pull = (jerk[:, 2:-2].T @ (jerk @ around)).flatten()
            stiff = torch.kron(jerk[:, 2:-2].T @ jerk[:, 2:-2], torch.eye(6).to(jerk))
            whole = torch.block_diag(*normal) + _JERK * stiff
            firm = 1e-6 * whole.diagonal().max() * torch.eye(len(whole)).to(whole)
            move = -torch.linalg.solve(whole + firm, slope.flatten() + _JERK * pull)
            step = move.view(count, 6).float().clamp(-_MOST, _MOST)
            numbers = torch.cat([numbers[:1], numbers[1:-1] + step, numbers[-1:]])
            if step.abs().max() < _DONE:
                break
        return numbers, torch.cat([seen.new_ones(1), seen, seen.new_ones(1)]).float()

    def _normal(
        self, log: Tensor, numbers: Tensor, points: Tensor, reference: Tensor, valid: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Normal matrix (N, 6, 6), gradient (N, 6) and the fitting share of the face (N,)."""
        seen = self._seen(log, numbers, points)
        left = seen[:, 0] - reference
        slopes = (seen[:, 1:] - seen[:, :1]) / _SMALL
        weight = valid / (1 + (left.norm(dim=1) / _FITS) ** 2) ** 2
        weighted = (slopes * weight[:, None, None]).flatten(2)
        normal = weighted @ slopes.flatten(2).transpose(1, 2)
        slope = (weighted @ left.flatten(1)[..., None])[..., 0]
        return normal.double(), slope.double(), weight.sum(1) / valid.sum(-1)

    def _seen(self, log: Tensor, numbers: Tensor, points: Tensor) -> Tensor:
        """Colour (N, 7, 3, K) of points (N, K, 3): as posed, and with each number changed."""
        count = len(numbers)
        change = torch.cat([torch.zeros(1, 6), _SMALL * torch.eye(6)]).to(numbers)
        many = (numbers[:, None] + change).flatten(0, 1)
        at = Poses(many, self.rotation).put(points.repeat_interleave(7, 0))[..., :2]
        found = resample(log, at.unflatten(0, (count, 7)), "bilinear")
        return found.transpose(1, 2)


def _second_differences(count: int) -> Tensor:
    """The matrix from ``count`` frames, with two more on each side, to their second differences."""
    rows = torch.zeros(count + 2, count + 4)
    for row, values in enumerate(rows):
        values[row : row + 3] = torch.tensor([1.0, -2.0, 1.0])
    return rows
