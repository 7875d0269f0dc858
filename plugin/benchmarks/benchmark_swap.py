"""`lifemask benchmark swap`: speed and memory of swap and track, and the last swap's figures."""

import json
import subprocess
from collections.abc import Mapping
from dataclasses import asdict
from functools import partial
from pathlib import Path
from shutil import rmtree, which
from tempfile import TemporaryDirectory
from time import monotonic
from typing import TYPE_CHECKING, Any

from lifemask.nodes import progress
from lifemask.nodes.command import Result
from lifemask.nodes.errors import KnobError, LifemaskError, ShotError
from lifemask.nodes.shot.folder import Shot
from lifemask.nodes.shot.interpretation import space_of
from lifemask.nodes.shot.names import is_double
from lifemask.nodes.swap import frames_of
from lifemask.nodes.swap.roles import cast_of
from lifemask.nodes.truth import Figures, GroundTruth, Truth
from lifemask.nodes.truth.expression import ExpressionFigures, TrackPair, tracked_again
from lifemask.nodes.truth.on_shot import expression_table, table
from lifemask.ocio.media.footage import Footage
from lifemask.ocio.media.sequence import Sequence
from lifemask.plugin.benchmarks.longer_shot import FIRST, looped
from lifemask.plugin.benchmarks.processes import run
from lifemask.plugin.benchmarks.saved_plan import seconds_a_frame

if TYPE_CHECKING:
    from lifemask.plugin.commands.benchmark import BenchmarkSwap

RASTER_SIZES = ((360, 640), (1080, 1920))
RASTER_SECONDS = 1.0
_TIMED = 12  # frames, by themselves


def measured(asked: "BenchmarkSwap") -> Result:
    """Return what ``asked`` is for."""
    _check(asked)
    reports = {str(folder): _report(Shot.load(folder), asked) for folder in asked.shots}
    faces = raster_rates()
    if asked.json:
        plain = {name: dict(map(_plain, report.items())) for name, report in reports.items()}
        return {"benchmark": plain, "rasteriser": faces}
    lines = [line for name, report in reports.items() for line in (name, *_lines(report))]
    return {"text": [*lines, *(f"rasteriser: {n:.1f} faces/s at {at}" for at, n in faces.items())]}


def _check(asked: "BenchmarkSwap") -> None:
    """Raise KnobError before the long work for what would stop it."""
    short, long = asked.lengths
    if not 1 <= short <= long:
        raise KnobError(f"lengths: {short} and {long} are not two lengths, the shorter one first")
    if asked.width < 0:
        raise KnobError(f"width: {asked.width} is below 0 pixels")
    if asked.renders:
        check_renders(asked.renders)
    if asked.identity and not (asked.renders and asked.takes):
        raise KnobError("identity: the judge needs --renders and --takes, too")
    if asked.identity and not which(asked.identity[0]):
        raise KnobError(f"identity: {asked.identity[0]} is no program")


def check_renders(renders: Path) -> None:
    """Raise KnobError unless a folder holds a plate and its perfect swap."""
    ground = ground_of(renders)
    for folder in (ground.plate, ground.truth):
        if not folder.is_dir():
            raise KnobError(f"renders: {folder} is not there")


def _report(shot: Shot, asked: "BenchmarkSwap") -> dict[str, Any]:
    likeness = asked.likeness or only_likeness(shot)
    cast_of(shot, [likeness])  # what it lacks is said of this shot, not of the longer one
    report: dict[str, Any] = {"speed": speed(shot, likeness, asked.lengths, asked.width)}
    if not asked.renders and shot.versions("swaps", likeness):
        report["expression"] = expression(shot, likeness)
    if asked.renders:
        swap = shot.latest("swaps", likeness)
        report |= score(swap, asked.renders)
        if asked.identity:
            report["identity"] = identity(asked.identity, swap, asked.renders, asked.takes)
    return report


def _plain(item: tuple[str, Any]) -> tuple[str, Any]:
    name, value = item
    return name, asdict(value) if isinstance(value, Figures | ExpressionFigures) else value


def _lines(report: Mapping[str, Any]) -> list[str]:
    lines = _speed_lines(report["speed"])
    if "swap" in report:
        lines += table(report["swap"], report["plate"])
    if report.get("expression"):
        lines += expression_table(report["expression"])
    return lines + [f"{name:16}{value:>42}" for name, value in report.get("identity", {}).items()]


def only_likeness(shot: Shot) -> str:
    """Return the one likeness of the shot; raises ShotError when there are several."""
    names = [name for name in shot.names("facesets") if not is_double(name)]
    if len(names) != 1:
        existing = ", ".join(names) or "none"
        raise ShotError(
            f"{shot.folder}: name one of its facesets with --likeness; there: {existing}"
        )
    return names[0]


def speed(shot: Shot, likeness: str, lengths: tuple[int, int], width: int) -> dict[str, float]:
    """Return frames a second and MiB, each of a child process that runs the command itself.

    ``swap`` and ``copy`` are EXR to EXR: ``copy`` only reads the plate and writes the same layers.
    """
    short, long = lengths
    with looped(shot, max(lengths), width) as loop:
        words = ("swap", str(loop.folder), "--likeness", likeness, "--frames")
        runs = []
        for count in lengths:
            rmtree(loop.folder / "swaps", ignore_errors=True)  # each run plans for itself
            runs.append(run("swap", *words, f"{FIRST}-{FIRST + count - 1}"))
        result = Sequence.find(loop.latest("swaps", likeness) / "*.exr")
        alone, within = seconds_a_frame(loop, likeness, min(long, _TIMED))
        numbers = f"{FIRST}-{FIRST + short - 1}"
        track = run("track", "track", str(loop.folder), "--frames", numbers)
        copy = copy_rate(loop.plate_of(numbers).sequence, result)
    return {
        "swap": runs[1].rate,
        "copy": copy,
        "copies_a_swap": copy / runs[1].rate,
        "swap_seconds": runs[0].seconds,
        "frame_seconds": within,
        "frame_by_plan": alone / within,
        "track": track.rate,
        "frames": short,
        "peak": runs[0].peak,
        "frames_long": long,
        "peak_long": runs[1].peak,
        "peak_track": track.peak,
    }


def _speed_lines(speeds: Mapping[str, float]) -> list[str]:
    few, many = speeds["frames"], speeds["frames_long"]
    within = f"{speeds['frame_seconds']:.2f} s"
    return [
        f"{'swap':16}{speeds['swap']:8.2f} frames/s, EXR to EXR",
        f"{'copy':16}{speeds['copy']:8.2f} frames/s: the same layers read and written, no more; "
        f"{speeds['copies_a_swap']:.1f} in the time of a swap",
        f"{'track':16}{speeds['track']:8.2f} frames/s",
        f"{'swap, in all':16}{speeds['swap_seconds']:8.1f} s for {few} frames, start-up counted",
        f"{'swap, one frame':16}{speeds['frame_by_plan']:8.2f} times its own {within}, "
        "by the saved plan of the shot",
        f"{'swap memory':16}{speeds['peak']:8.0f} MiB for {few} frames, "
        f"{speeds['peak_long']:.0f} MiB for {many}",
        f"{'track memory':16}{speeds['peak_track']:8.0f} MiB for {few} frames",
    ]


def copy_rate(plate: Sequence, result: Sequence) -> float:
    """Return frames a second of reading ``plate`` and writing one frame of ``result`` each time."""
    from lifemask.ocio.media import exr
    from lifemask.ocio.media.frame import Frame
    from lifemask.ocio.media.reader import read
    from lifemask.ocio.system.parallel import parallel_map

    layers, header = exr.read_channels(result.file(result.frames[len(result.frames) // 2]))
    with TemporaryDirectory(prefix="lifemask_benchmark_", dir=Path(result.path).parent) as name:

        def write(frame: Frame) -> None:
            exr.write(Path(name) / f"copy.{frame.number:04d}.exr", layers, header)

        begin = monotonic()
        frames = parallel_map(lambda number: read(plate, number, layers=True), plate.frames)
        written = progress.each(parallel_map(write, frames), "copy", len(plate.frames))
        return sum(1 for _ in written) / (monotonic() - begin)


def score(swap: Path, renders: Path) -> dict[str, Figures]:
    """Return the figures of a swap, and of the plate untouched, against the renders of its shot."""
    ground = ground_of(renders)
    sequence = frames_of(swap)
    own = Footage(sequence, space_of(sequence, ""))
    untouched = ground.rendered(ground.plate, sequence.frames)
    return {"swap": Truth()(own, ground), "plate": Truth(expression=False)(untouched, ground)}


def expression(shot: Shot, likeness: str) -> ExpressionFigures | None:
    """Return how the last swap plays beside the plate; None where no frame shows both."""
    (role,) = cast_of(shot, [likeness])
    sequence = frames_of(shot.latest("swaps", role.likeness.performer))
    own = tracked_again(Footage(sequence, space_of(sequence, "")), role.track)
    return TrackPair.of(own, role.track).figures


def ground_of(renders: Path) -> GroundTruth:
    """Return the ground truth in the folder of a shot's renders."""
    return GroundTruth(renders / "performer_b", renders / "performer_a_on_b")


def identity(
    judge: tuple[str, str], swap: Path, renders: Path, takes: tuple[Path, ...]
) -> dict[str, Any]:
    """Return the JSON that an external identity judge prints; it is no part of Lifemask."""
    words = [*judge, swap, "--shot", renders, "--takes", *takes]
    done = subprocess.run(list(map(str, words)), capture_output=True, text=True, check=False)
    try:
        return dict(json.loads(done.stdout.strip().rpartition("\n")[2]))
    except (ValueError, TypeError) as error:
        last = done.stderr.strip().rpartition("\n")[2]
        raise LifemaskError(f"identity: {judge[1]} gave no figures ({last})") from error


def raster_rates() -> dict[str, float]:
    """Return the faces rasterised in a second, each two thirds of the picture's height."""
    import torch

    from lifemask.nodes.device import device
    from lifemask.nodes.render.atlas import atlas
    from lifemask.nodes.render.raster import rasterise
    from lifemask.plugin.benchmarks.flops import a_second

    head = torch.from_numpy(atlas().mesh(atlas().mean[None])).to(device())
    triangles = torch.from_numpy(atlas().triangles).to(device())
    size = head[..., 1].amax() - head[..., 1].amin()
    rates = {}
    for height, width in RASTER_SIZES:
        placed = (head - head.mean(1, keepdim=True)) * (height / 1.5 / size)
        placed = placed + placed.new_tensor([width / 2, height / 2, 0])
        work = partial(rasterise, placed, triangles, height, width)
        rates[f"{width}x{height}"] = a_second(work, RASTER_SECONDS)
    return rates
