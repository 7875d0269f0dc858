"""`lifemask benchmark`: one command for each benchmark, whose module is loaded when it runs."""

from pathlib import Path
from typing import Annotated, Literal

from lifemask.nodes.command import FRAMES, Command, Option, Result


class BenchmarkSwap(Command):
    """Measure speed and memory of track and swap, and the last swap's figures."""

    name = "benchmark swap"
    example = "lifemask benchmark swap sh010 --likeness ada"

    shots: Annotated[
        tuple[Path, ...], Option("Shots with a track and facesets.", "SHOT", positional=True)
    ]
    likeness: Annotated[str, Option("Whose face goes in.", "NAME")] = ""
    lengths: Annotated[
        tuple[int, int],
        Option(
            "Frames of the two runs whose memory is compared; the plate is looped (40 400).",
            ("SHORT", "LONG"),
        ),
    ] = (40, 400)
    width: Annotated[int, Option("Enlarge the plate to this first.", "PIXELS")] = 0
    renders: Annotated[
        Path | None, Option("Ground truth to score the last swap against.", "FOLDER")
    ] = None
    identity: Annotated[
        tuple[str, str] | None,
        Option(
            "An identity judge: PYTHON SCRIPT SWAP --shot RENDERS --takes TAKES prints JSON.",
            ("PYTHON", "SCRIPT"),
        ),
    ] = None
    takes: Annotated[tuple[Path, ...], Option("Takes for the judge.", "FOLDER")] = ()

    def run(self) -> Result:
        """Return the figures of each shot, and of the rasteriser."""
        from lifemask.plugin.benchmarks.benchmark_swap import measured

        return measured(self)


class BenchmarkSelf(Command):
    """Put a person on themself in a clip, so that the clip is the exact answer, and score it.

    The takes come from another part of the clip than the plate, and show the same person, which
    nothing checks. With another likeness there is no exact answer, and the release that a shot has
    of them is needed; then only expression and occlusion are measured.
    """

    name = "benchmark self"
    example = (
        "lifemask benchmark self interview.mov --plate 1-48 --takes 120-240x2\n"
        "  lifemask benchmark self interview.mov --plate 1-48 --takes 1-96 --likeness ada.mov "
        "--shot sh010 --performer ada"
    )

    clip: Annotated[
        Path, Option("A movie, or name.####.exr, of one person.", "CLIP", positional=True)
    ]
    plate: Annotated[str, Option("Frames to swap, such as 1-48.", "RANGE")]
    takes: Annotated[str, Option("Frames to know the likeness from, such as 120-240x2.", "RANGE")]
    likeness: Annotated[
        Path | None, Option("Footage of another person, from which the takes come.", "CLIP")
    ] = None
    shot: Annotated[Path | None, Option("The shot with their release.", "FOLDER")] = None
    performer: Annotated[str, Option("Their name in it.", "NAME")] = ""
    colorspace: Annotated[
        str, Option("Colour space of the footage; by default the one in its header.", "NAME")
    ] = ""
    out: Annotated[
        Path | None,
        Option("A new folder for the swap, the facesets and a contact sheet.", "FOLDER"),
    ] = None

    def run(self) -> Result:
        """Return the figures, and the contact sheet if ``out`` is given."""
        from lifemask.plugin.benchmarks.benchmark_self import measured

        return measured(self)


class BenchmarkTrain(Command):
    """Measure how near a swap comes after minutes of training, beside a plain autoencoder."""

    name = "benchmark train"
    example = (
        "lifemask benchmark train sh010 --likeness ada --renders footage/a1_dialogue --out docs\n"
        "  lifemask benchmark train sh010 --likeness ada --renders footage/a1_dialogue "
        "--times 0 0.5 1 --frames 1001-1096x8"
    )

    folder: Annotated[Path, Option("A shot with a track and facesets.", "SHOT", positional=True)]
    likeness: Annotated[str, Option("Whose face goes in.", "NAME")]
    renders: Annotated[Path, Option("The shot's ground truth.", "FOLDER")]
    times: Annotated[
        tuple[float, ...],
        Option("Minutes of training after which to swap and score (0 1 2 5 10).", "MINUTES"),
    ] = (0.0, 1.0, 2.0, 5.0, 10.0)
    preset: Annotated[
        Literal["draft", "standard", "hero"], Option("Preset of both trainings (draft).")
    ] = "draft"
    frames: Annotated[str, FRAMES] = ""
    out: Annotated[Path | None, Option("Folder for training.json and training.svg.", "FOLDER")] = (
        None
    )
    overwrite: Annotated[bool, Option("Replace existing ones.")] = False

    def run(self) -> Result:
        """Return the figures over the minutes, and the files that have them."""
        from lifemask.plugin.benchmarks.benchmark_train import measured

        return measured(self)


class BenchmarkFaces(Command):
    """Measure speed on large faces, refining and training, and the share of the device's peak."""

    name = "benchmark faces"
    example = "lifemask benchmark faces --sizes 128 256 512"

    sizes: Annotated[
        tuple[int, ...], Option("Sides of the crops, multiples of 32 (128 256 512).", "PIXELS")
    ] = (128, 256, 512)
    seconds: Annotated[
        float, Option("Time for each measurement, of which at least two are made (5).", "N")
    ] = 5.0

    def run(self) -> Result:
        """Return frames and steps a second for each size."""
        from lifemask.plugin.benchmarks.benchmark_faces import measured

        return measured(self)
