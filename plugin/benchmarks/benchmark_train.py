"""`lifemask benchmark train`: how near a swap comes to the perfect one, by minutes of training."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from lifemask.nodes import progress
from lifemask.nodes.command import Result
from lifemask.nodes.errors import KnobError, VersionExistsError, WriteError
from lifemask.nodes.shot.folder import Shot
from lifemask.nodes.swap import Swap
from lifemask.nodes.swap.roles import cast_of
from lifemask.nodes.train import Train
from lifemask.nodes.truth import Figures, GroundTruth, Truth
from lifemask.ocio.media.footage import Footage
from lifemask.ocio.media.frame import LayeredFrame
from lifemask.ocio.media.sequence import Sequence
from lifemask.ocio.system.atomic import replacing
from lifemask.plugin.benchmarks.baselines import Contender, Ours, Plain, Scene
from lifemask.plugin.benchmarks.benchmark_swap import check_renders, ground_of
from lifemask.plugin.reports.line_chart import Panel, chart

if TYPE_CHECKING:
    from lifemask.plugin.commands.benchmark import BenchmarkTrain

SHOWN = (
    "relative_l1",
    "aligned_ssim",
    "aligned_l1",
    "detail_recall",
    "detail_energy",
    "identity_projection",
)
LAYERS = (*"RGB", "facematte.V")
"""The layers of a swap that are scored."""

_FILES = {"figures": "training.json", "plot": "training.svg"}


@dataclass(frozen=True)
class Point:
    """What a contender came to in ``minutes``: in fact ``seconds`` of training, and ``steps``."""

    minutes: float
    steps: int
    seconds: float
    figures: Figures


Curves = dict[str, list[Point]]


def measured(asked: "BenchmarkTrain") -> Result:
    """Return what ``asked`` is for."""
    _check(asked)
    shot, ground = Shot.load(asked.folder), ground_of(asked.renders)
    (role,) = cast_of(shot, [asked.likeness])
    train, swap = shot.node(Train, preset=asked.preset), shot.node(Swap)
    scene = Scene(shot.plate_of(asked.frames), role, train, swap)
    with TemporaryDirectory(prefix="lifemask_benchmark_") as name:
        ours = Ours(scene, Path(name) / "model")
        contenders: list[Contender] = [ours, Plain(scene, ours.operations)]
        curves = compete(contenders, sorted(set(asked.times)), ground, Path(name))
        report = _report(scene, contenders, curves, ground)
    written = _write(asked.out, report, curves) if asked.out else {}
    if asked.json:
        return {"training": report, **written}
    return {"text": _table(report), **written}


def _check(asked: "BenchmarkTrain") -> None:
    """Raise KnobError before the long work for what would stop it at its end."""
    if min(asked.times) < 0:
        raise KnobError(f"times: {min(asked.times):g} is below 0 minutes")
    for minutes in asked.times:
        Train(minutes=minutes)
    if asked.out:
        _check_out(asked.out, asked.overwrite)
    check_renders(asked.renders)


def _check_out(folder: Path, overwrite: bool) -> None:
    """Raise KnobError or WriteError when the figures cannot be written to ``folder``."""
    if folder.is_file():
        raise KnobError(f"out: {folder} is a file; it takes a folder")
    for name in _FILES.values():
        if (folder / name).exists() and not overwrite:
            raise VersionExistsError(f"{folder / name}: is there already; --overwrite replaces it")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WriteError(f"{folder}: cannot be written ({error.strerror})") from error


def compete(
    contenders: list[Contender], times: list[float], ground: GroundTruth, folder: Path
) -> Curves:
    """Return each contender's figures at each of the ``times``, minutes; they train in turns."""
    curves: Curves = {contender.name: [] for contender in contenders}
    for minutes in progress.each(times, "benchmark", len(times)):
        for contender in contenders:
            contender.until(minutes)
            figures = score(contender.frames(), ground, folder)
            curves[contender.name].append(Point(minutes, *contender.spent, figures))
    return curves


def score(frames: Iterator[LayeredFrame], ground: GroundTruth, folder: Path) -> Figures:
    """Return the figures of a swap, whose files are removed from ``folder`` afterwards."""
    from lifemask.ocio.media import exr

    with TemporaryDirectory(dir=folder) as name:
        space = ""
        for frame in frames:
            space = frame.header["lifemask/colorspace"]
            scored = {layer: frame.channels[layer] for layer in LAYERS}
            exr.write(Path(name) / f"swap.{frame.number:04d}.exr", scored, frame.header)
        sequence = Sequence.find(f"{name}/*.exr")
        return Truth(landmarks=0, expression=False)(Footage(sequence, space), ground)


def _report(
    scene: Scene, contenders: list[Contender], curves: Curves, ground: GroundTruth
) -> dict[str, Any]:
    from lifemask.nodes.device import device_name

    untouched = ground.rendered(ground.plate, scene.plate.frames)
    plate = Truth(landmarks=0, expression=False)(untouched, ground)
    return {
        "device": device_name(),
        "preset": asdict(scene.train.chosen) | {"name": scene.train.preset},
        "frames": len(scene.plate.frames),
        "plate": asdict(plate),
        "contenders": {
            contender.name: {
                "operations": contender.operations,
                "prepared": contender.prepared,
                "points": [asdict(point) for point in curves[contender.name]],
            }
            for contender in contenders
        },
    }


def _table(report: dict[str, Any]) -> list[str]:
    preset = report["preset"]
    head = f"{'':14}{'minutes':>9}{'steps':>8}" + "".join(f"  {name}" for name in SHOWN)
    about = (
        f"{preset['size']} px, {preset['batch']} examples a step, on {report['device']}; "
        f"{report['frames']} frames"
    )
    lines = [about, head, f"{'plate':31}" + _numbers(report["plate"])]
    for name, contender in report["contenders"].items():
        lines += [
            f"{name:14}{point['minutes']:9g}{point['steps']:8}{_numbers(point['figures'])}"
            for point in contender["points"]
        ]
    lines.append(
        f"{'perfect':31}" + "".join(f"{_perfect(name):{len(name) + 2}g}" for name in SHOWN)
    )
    costs = (
        f"{name}: {contender['operations'] / 1e9:.1f} Gflop a step; {contender['prepared']:.0f} s "
        "to make the examples, not counted as training"
        for name, contender in report["contenders"].items()
    )
    return [*lines, *costs]


def _numbers(figures: dict[str, Any]) -> str:
    return "".join(f"{figures[name]:{len(name) + 2}.3f}" for name in SHOWN)


def _perfect(name: str) -> float:
    return float(Figures.__dataclass_fields__[name].metadata["perfect"])


def _write(folder: Path, report: dict[str, Any], curves: Curves) -> dict[str, Path]:
    """Write the figures and their plot, and return the files."""
    texts = {"figures": json.dumps(report, indent=1) + "\n", "plot": plot(curves, report)}
    for word, text in texts.items():
        with replacing(folder / _FILES[word]) as temporary:
            temporary.write_text(text, encoding="utf-8")
    return {word: folder / name for word, name in _FILES.items()}


def plot(curves: Curves, report: dict[str, Any]) -> str:
    """Return the curves of aligned SSIM and relative L1 over the minutes, as an SVG file."""
    titles = {
        "aligned_ssim": "aligned SSIM (1 is the perfect swap)",
        "relative_l1": "relative L1 (0 is the perfect swap)",
    }
    panels = [
        Panel(
            title,
            {name: _places(points, figure) for name, points in curves.items()},
            {"the plate, untouched": report["plate"][figure]},
            _span(curves, figure, report["plate"][figure], _perfect(figure)),
        )
        for figure, title in titles.items()
    ]
    return chart(f"after minutes of training, {report['device']}", panels, "min")


def _places(points: list[Point], figure: str) -> list[tuple[float, float]]:
    return [(point.minutes, getattr(point.figures, figure)) for point in points]


def _span(curves: Curves, figure: str, plate: float, perfect: float) -> tuple[float, float]:
    """The range of heights to show: the perfect one, and all points after the untrained ones."""
    learned = {name: [p for p in points if p.steps] or points for name, points in curves.items()}
    first = next(iter(curves.values()))[:1]
    values = [getattr(p.figures, figure) for points in [first, *learned.values()] for p in points]
    low, high = min(*values, plate, perfect), max(*values, plate, perfect)
    room = (high - low) * 0.08
    return low - room, high + room
