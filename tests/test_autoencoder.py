"""The reference learns its faces, costs what it is compared with, and is pasted in its place."""

import numpy as np
import pytest
import torch

from lifemask.nodes.device import device
from lifemask.nodes.refiner.network import Refiner
from lifemask.nodes.swap import Swap
from lifemask.ocio.media.footage import Footage
from lifemask.ocio.media.reader import read
from lifemask.ocio.media.sequence import Sequence
from lifemask.plugin.benchmarks import autoencoder
from lifemask.plugin.benchmarks.autoencoder import (
    DOUBLE,
    LIKENESS,
    Autoencoder,
    AutoencoderTask,
    Pasting,
    autoencoder_trainer,
    warped,
)
from lifemask.plugin.benchmarks.flops import learning

SIZE = 32


@pytest.fixture(scope="module")
def faces(pair):
    return tuple(autoencoder.pictures(who, SIZE, 6) for who in (pair.likeness, pair.double))


def test_faces_are_cropped_with_their_mattes(faces, pair):
    assert faces[LIKENESS].shape == (6, 4, SIZE, SIZE)
    assert len(autoencoder.pictures(pair.double, SIZE, 100)) == len(pair.double)
    matte = faces[LIKENESS][:, 3].float()
    assert matte[:, SIZE // 2, SIZE // 2].min() > 0.9
    assert matte[:, 0, 0].max() < 0.1


def test_it_learns_each_face_with_its_own_decoder(faces):
    torch.manual_seed(1)
    trainer = autoencoder_trainer(Autoencoder(SIZE, 8), faces, batch=4)

    @torch.inference_mode()
    def error(shown, decoder):
        given = faces[shown].to(device()).float()
        wrong = (trainer.network(given[:, :3], decoder) - given[:, :3]).abs() * given[:, 3:]
        return float(wrong.sum() / given[:, 3:].sum())

    before = [error(who, who) for who in (LIKENESS, DOUBLE)]
    for _ in range(80):
        trainer.step()
    for who in (LIKENESS, DOUBLE):
        assert error(who, who) < 0.6 * before[who]
        assert error(who, who) < 0.9 * error(who, 1 - who)


def test_a_step_has_as_many_faces_of_each_performer(faces):
    drawn = AutoencoderTask(faces, 0).draw(50, np.random.default_rng(1))
    assert len(drawn) == 50
    for who in (LIKENESS, DOUBLE):
        assert {pair[who] for pair in drawn} == set(range(len(faces[who])))


def test_only_what_is_shown_is_bent():
    random = torch.Generator().manual_seed(3)
    flat = torch.cat([torch.full((5, 3, 16, 16), 0.4), torch.ones(5, 1, 16, 16)], 1)
    bent, straight, matte = warped(flat, random)
    assert torch.allclose(bent, straight, atol=1e-5)
    assert matte.min() > 0.999
    assert straight[:, :, 8, 8].std() > 0.01
    ramp = torch.linspace(0, 1, 64).expand(5, 4, 64, 64)
    bent, straight, _ = warped(ramp, random)
    bends = (bent - straight).flatten(1).std(1)
    assert (bends > 0.005).all()
    # A straight ramp that is turned and scaled stays a plane inside; a bent one does not.
    inside = straight[:, 0, 24:40, 24:40]
    assert inside.diff(dim=-1).diff(dim=-1).abs().max() < 0.02


@pytest.mark.parametrize(("size", "batch"), [(64, 2), (128, 8)])
def test_a_step_costs_about_what_the_refiner_s_does(size, batch):
    wanted = learning(Refiner(), batch, size)
    width = autoencoder.as_costly_as(wanted, size, batch)
    assert autoencoder.cost(width, size, batch) == pytest.approx(wanted, rel=0.15)


class Repeating(torch.nn.Module):
    """Gives back what it is shown, two stops darker."""

    def forward(self, pictures, performer):
        assert performer == LIKENESS
        return pictures - 2 / 17.52


def test_a_face_that_is_repeated_goes_back_to_its_place(pair):
    plate = Footage(Sequence.find(pair.plate.sequence.path, "1001-1002"), pair.plate.colorspace)
    for frame in Pasting(Swap(), plate, pair.role, Repeating(), 192).frames():
        before = read(plate.sequence, frame.number).rgb
        after = np.stack([frame.channels[c] for c in "RGB"], -1)
        alpha = frame.channels["swap.A"]
        assert (alpha > 0.99).sum() > 1000
        assert np.array_equal(after[alpha == 0], before[alpha == 0].astype(after.dtype))
        face = before[alpha > 0.99]
        assert np.abs(after[alpha > 0.99] - face).mean() < 0.1 * face.mean()
