"""The shading residual is all of a light image but light; in a cycle pair it is the other one's."""

from dataclasses import replace

import pytest
import torch

from lifemask.nodes.faceset.provider import descriptors_of
from lifemask.nodes.learning.data import cycle_pairs as cycles
from lifemask.nodes.learning.data.cycle_pairs import cycle_pairs
from lifemask.nodes.refiner import shading_residual as module
from lifemask.nodes.refiner.crop import CANDIDATES, LIGHT, PLATE
from lifemask.nodes.refiner.model import RefinerModel
from lifemask.nodes.refiner.shading_residual import shading_residual
from lifemask.nodes.render.atlas import COARSE
from lifemask.nodes.render.descriptors import coarse_normals
from lifemask.nodes.render.filters import blur
from lifemask.nodes.render.light import shading

FACES = [0, 3]


def lit(monkeypatch, faceset, more):
    """Let the light images of FACES be the harmonics of their takes, and ``more``, log."""
    look = descriptors_of(faceset, FACES)
    lights = torch.from_numpy(faceset.faces.lights[faceset.faces.take[FACES]])
    shade = shading(coarse_normals(faceset.face_landmarks[FACES]), lights, look.valid)
    monkeypatch.setattr(module, "descriptors_of", lambda *_: replace(look, light=shade + more))
    return look.valid[:, 0] > 0.9


def bump(sigma):
    """A bump of height .1 in the middle of texture space, (1, 1, COARSE, COARSE)."""
    dot = torch.zeros(1, 1, COARSE, COARSE)
    dot[..., COARSE // 2, COARSE // 2] = 1
    wide = blur(dot, sigma)
    return 0.1 * wide / wide.max()


def test_light_alone_has_no_relief(pair, monkeypatch):
    seen = lit(monkeypatch, pair.likeness, 0)
    found, valid = shading_residual(pair.likeness, FACES)
    assert found.shape == (2, 3, COARSE, COARSE)
    assert valid.shape == (2, 1, COARSE, COARSE)
    assert found.permute(0, 2, 3, 1)[seen].abs().max() < 1e-5


@pytest.mark.parametrize(("sigma", "least", "most"), [(1.0, 0.08, 0.1), (12.0, 0, 0.03)])
def test_what_is_fine_is_relief_and_what_is_wide_is_light(pair, monkeypatch, sigma, least, most):
    lit(monkeypatch, pair.likeness, bump(sigma))
    middle = shading_residual(pair.likeness, FACES)[0][..., COARSE // 2, COARSE // 2]
    assert (middle >= least).all()
    assert (middle <= most).all()


def test_cycle_pairs_are_lit_with_the_residual_of_who_is_in_the_frame(pair, small, monkeypatch):
    """What the other one's residual adds is in plate, light and render, and not in the truth."""
    played, _ = cycle_pairs([pair.facesets], RefinerModel.load(small.path))
    more = bump(2.0)

    def example(other):
        known = {pair.double.folder: 0 * more, pair.likeness.folder: other * more}
        seen = torch.ones_like(more)
        monkeypatch.setattr(
            cycles, "shading_residual", lambda faceset, _: (known[faceset.folder], seen)
        )
        return next(iter(played.examples(64, 1)))

    plain, other = example(0), example(1)
    truth = (other.truth - plain.truth).abs().max()
    changes = {
        name: (other.shown - plain.shown)[:, planes]
        for name, planes in (("light", LIGHT), ("plate", PLATE), ("render", CANDIDATES))
    }
    for change in changes.values():
        assert change.max() > 0.05
        assert change.min() > -0.02
    assert truth < 0.02
