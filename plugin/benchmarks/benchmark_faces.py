"""`lifemask benchmark faces`: the refiner's speed on large faces, and its use of the device."""

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from lifemask.nodes import progress
from lifemask.nodes.command import Result
from lifemask.nodes.errors import KnobError
from lifemask.nodes.refiner.versions import BASE
from lifemask.nodes.train import PRESETS

if TYPE_CHECKING:
    from lifemask.nodes.learning.data.examples import ExampleSet
    from lifemask.nodes.learning.trainer import Trainer
    from lifemask.nodes.refiner.model import RefinerModel
    from lifemask.nodes.refiner.network import Refiner
    from lifemask.plugin.commands.benchmark import BenchmarkFaces

EXAMPLES = 16
PEAKS = ("float32", "bfloat16")


@dataclass(frozen=True)
class Pace:
    """Crops of one size: refined frames a second, and training steps of ``batch`` examples.

    ``frame_shares`` and ``step_shares`` are the shares of the device's peak, in each of PEAKS.
    """

    frames: float
    steps: float
    batch: int
    frame_shares: dict[str, float]
    step_shares: dict[str, float]


def measured(asked: "BenchmarkFaces") -> Result:
    """Return what ``asked`` is for."""
    for size in asked.sizes:
        if size < 32 or size % 32:
            raise KnobError(f"sizes: {size} is not a multiple of 32")
    from lifemask.nodes.amp import infers_in_bfloat16, trains_in_bfloat16
    from lifemask.nodes.device import device_name
    from lifemask.nodes.refiner.model import RefinerModel

    peaks = peaks_of(asked.seconds)
    model = RefinerModel.load(BASE.path)
    sizes = progress.each(asked.sizes, "benchmark", len(asked.sizes))
    paces = {size: pace(model, size, peaks, asked.seconds) for size in sizes}
    kinds = PEAKS[infers_in_bfloat16()], PEAKS[trains_in_bfloat16()]
    if not asked.json:
        return {"text": _table(device_name(), kinds, peaks, paces)}
    faces = {
        "device": device_name(),
        "inference": kinds[0],
        "training": kinds[1],
        "peaks": peaks,
        "sizes": {str(size): asdict(one) for size, one in paces.items()},
    }
    return {"faces": faces}


def peaks_of(seconds: float) -> dict[str, float]:
    """Return the device's peak in operations a second, in each of PEAKS."""
    import torch

    from lifemask.plugin.benchmarks.flops import peak

    return {name: peak(getattr(torch, name), seconds) for name in PEAKS}


def pace(model: "RefinerModel", size: int, peaks: dict[str, float], seconds: float) -> Pace:
    """Return the speed at which ``model`` refines crops of ``size`` pixels, and trains on them."""
    import torch

    from lifemask.nodes.amp import mixed_inference
    from lifemask.plugin.benchmarks.flops import a_second, learning, looking

    examples = _noise(size)
    trainer = _trainer(model, examples, size)
    with torch.inference_mode(), mixed_inference():
        crop = examples.batch([0]).shown
        frames = a_second(lambda: model.network(crop), seconds)
    steps = a_second(trainer.step, seconds)
    looked = frames * looking(model.network, size)
    learned = steps * learning(model.network, trainer.batch, size)
    return Pace(
        frames=frames,
        steps=steps,
        batch=trainer.batch,
        frame_shares={name: looked / most for name, most in peaks.items()},
        step_shares={name: learned / most for name, most in peaks.items()},
    )


def _noise(size: int) -> "ExampleSet":
    """Examples of noise, which take as long to learn from as faces."""
    import torch

    from lifemask.nodes.learning.data.examples import PLANES, Batch, ExampleSet

    noise = (Batch.of(torch.rand(1, PLANES, size, size)) for _ in range(EXAMPLES))
    return ExampleSet.collect(noise, EXAMPLES, size)


def _trainer(model: "RefinerModel", examples: "ExampleSet", size: int) -> "Trainer[Refiner]":
    from lifemask.nodes.learning.train_refiner import RefinerConfig, refiner_trainer

    config = RefinerConfig(
        minutes=0,
        batch=batch_of(size),
        learning_rate=1e-4,
        seed=0,
        size=size,
        crop=size,
        performers=[],
    )
    return refiner_trainer(model.network, examples, config)


def batch_of(size: int) -> int:
    """Return the batch of the preset whose crops are nearest to ``size`` pixels."""
    fitting = [preset for preset in PRESETS.values() if preset.size >= size]
    return (fitting or list(PRESETS.values())[-1:])[0].batch


def _table(
    device: str, kinds: tuple[str, str], peaks: dict[str, float], paces: dict[int, Pace]
) -> list[str]:
    most = ", ".join(f"{value / 1e9:.0f} Gflop/s in {name}" for name, value in peaks.items())
    shares = "".join(f"{'of ' + name:>13}" for name in PEAKS)
    lines = [
        f"{device}: {most}, in large products or convolutions; shares are of that",
        f"the refiner runs in {kinds[0]} and is trained in {kinds[1]}",
        f"{'crop':>8}{'frames/s':>11}{shares}{'steps/s':>11}{shares}{'batch':>7}",
    ]
    for size, one in paces.items():
        looked, learned = (_shares(part) for part in (one.frame_shares, one.step_shares))
        rates = f"{one.frames:11.2f}{looked}{one.steps:11.3f}{learned}"
        lines.append(f"{size:5} px{rates}{one.batch:7}")
    return lines


def _shares(shares: dict[str, float]) -> str:
    return "".join(f"{share:13.3f}" for share in shares.values())
