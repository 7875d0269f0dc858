"""Automatic mixed precision: bfloat16 where the device multiplies it faster than float32."""

from contextlib import AbstractContextManager

import torch

from lifemask.nodes.device import device


def mixed_training() -> AbstractContextManager[object]:
    """Autocast to bfloat16 where that is faster; weights and losses stay float32."""
    return _autocast(trains_in_bfloat16())


def mixed_inference() -> AbstractContextManager[object]:
    """Autocast as in training on a graphics card; on a processor a swap keeps its bits."""
    return _autocast(infers_in_bfloat16())


def trains_in_bfloat16() -> bool:
    """Return whether the device multiplies bfloat16 faster than float32."""
    if device().type == "cuda":
        return _card_has_bfloat16()
    return device().type == "cpu" and torch.backends.mkldnn.is_available() and _has_avx512_bf16()


def infers_in_bfloat16() -> bool:
    """Return whether the device is a card that multiplies bfloat16 faster than float32."""
    return device().type == "cuda" and _card_has_bfloat16()


def _autocast(enabled: bool) -> AbstractContextManager[object]:
    return torch.autocast(device().type, torch.bfloat16, enabled=enabled)


def _card_has_bfloat16() -> bool:
    return bool(torch.cuda.is_bf16_supported(including_emulation=False))


def _has_avx512_bf16() -> bool:
    return bool(torch.cpu._is_avx512_bf16_supported())
