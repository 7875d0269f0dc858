"""A network runs in bfloat16 where the device gains from it; a processor keeps a swap's bits."""

import pytest
import torch
from made_up import opinionated

from lifemask.nodes import amp
from lifemask.nodes.refiner.crop import CHANNELS
from lifemask.nodes.refiner.model import RefinerModel


def on(monkeypatch, where, bfloat16):
    """Let the device be a card or a processor, with bfloat16 or without."""
    monkeypatch.setattr(amp, "device", lambda: torch.device(where))
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda **_: bfloat16)
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: bfloat16)


@pytest.mark.parametrize("where", ["cuda", "cpu"])
@pytest.mark.parametrize("bfloat16", [True, False])
def test_training_is_mixed_where_bfloat16_is_faster(monkeypatch, where, bfloat16):
    on(monkeypatch, where, bfloat16)
    assert amp.trains_in_bfloat16() == bfloat16


@pytest.mark.parametrize(
    ("where", "bfloat16", "mixed"),
    [("cuda", True, True), ("cuda", False, False), ("cpu", True, False), ("cpu", False, False)],
)
def test_inference_is_mixed_on_such_a_card_alone(monkeypatch, where, bfloat16, mixed):
    on(monkeypatch, where, bfloat16)
    assert amp.infers_in_bfloat16() == mixed


@pytest.fixture
def model():
    return RefinerModel(opinionated(8, 0).eval().requires_grad_(False), 64, {})


def answered(model, shown):
    """The answer's planes, and the types that the convolutions of the network gave."""
    types, hooks = set(), []
    for layer in model.network.modules():
        if isinstance(layer, torch.nn.Conv2d):
            hooks.append(layer.register_forward_hook(lambda *given: types.add(given[2].dtype)))
    prediction = model.predict(shown)
    for hook in hooks:
        hook.remove()
    return torch.cat([prediction.residual, prediction.matte, prediction.uncertainty], 1), types


def test_a_model_answers_under_the_policy_and_gives_float32(model, monkeypatch):
    shown = torch.rand(1, CHANNELS, 64, 64, generator=torch.Generator().manual_seed(1)) * 0.1
    exact, types = answered(model, shown)
    assert types == {torch.float32}
    monkeypatch.setattr(amp, "infers_in_bfloat16", lambda: True)
    rounded, types = answered(model, shown)
    assert types == {torch.bfloat16}
    assert rounded.dtype == torch.float32
    assert not torch.equal(rounded, exact)
    assert (rounded - exact).abs().max() < 0.05 * exact.abs().max()


def test_on_a_processor_a_model_answers_as_its_network_to_the_bit(model, monkeypatch):
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: True)
    shown = torch.rand(1, CHANNELS, 64, 64, generator=torch.Generator().manual_seed(2)) * 0.1
    planes, _ = answered(model, shown)
    prediction = model.network(shown)
    assert torch.equal(
        planes, torch.cat([prediction.residual, prediction.matte, prediction.uncertainty], 1)
    )
