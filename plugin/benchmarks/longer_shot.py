"""Make a longer or larger shot from a short one, for benchmarks."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import cycle, islice
from pathlib import Path
from tempfile import TemporaryDirectory

from lifemask.nodes import progress
from lifemask.nodes.faceset.files import Faces, FaceSet
from lifemask.nodes.shot.folder import Shot
from lifemask.nodes.shot.names import is_double
from lifemask.nodes.shot.tracks import people_of
from lifemask.nodes.types import FaceTrack
from lifemask.ocio.media.footage import Footage

FIRST = 1001


@contextmanager
def looped(shot: Shot, count: int, width: int = 0) -> Iterator[Shot]:
    """Yield a temporary shot whose plate runs ``shot``'s to and fro, ``count`` frames from 1001 on.

    With a ``width`` the plate is enlarged to it. Tracks and the double's facesets are looped and
    enlarged in the same way; the likenesses' facesets and the releases are those of ``shot``.
    """
    with TemporaryDirectory(prefix="lifemask_benchmark_") as name:
        folder = Path(name) / shot.name
        folder.mkdir()
        (folder / "releases").symlink_to((shot.folder / "releases").resolve())
        plate = shot.plate
        order = to_and_fro(len(plate.frames), count)
        files = _enlarged(plate, Path(name) / "large", width) if width else _files(plate)
        links = folder / "plate"
        links.mkdir()
        for number, index in enumerate(order, FIRST):
            (links / f"plate.{number:04d}{files[0].suffix}").symlink_to(files[index])
        path = f"{links}/plate.####{files[0].suffix}"
        loop = Shot.new(folder, path, plate.colorspace, shot.fps, project=shot.project)
        # An enlarged plate is written as plain R G B.
        layer = "" if width else shot.layer
        loop = replace(loop, performers=shot.performers, knobs=shot.knobs, layer=layer)
        loop.save()
        _loop_tracks(shot, loop, order, width)
        for name in shot.names("facesets"):
            source, target = shot.latest("facesets", name), loop.version("facesets", name, 1)
            target.parent.mkdir(exist_ok=True)
            if is_double(name):
                _loop_faceset(FaceSet.load(source), target, order, plate, width)
            else:
                target.symlink_to(source.resolve())
        yield loop


def to_and_fro(length: int, count: int) -> list[int]:
    """Return ``count`` indices that run up and down below ``length`` without a jump."""
    there_and_back = [*range(length), *range(length - 2, 0, -1)]
    return list(islice(cycle(there_and_back), count))


def _files(plate: Footage) -> list[Path]:
    return [plate.sequence.file(frame).resolve() for frame in plate.frames]


def _enlarged(plate: Footage, folder: Path, width: int) -> list[Path]:
    """Write the plate as half-float EXRs of this width, and return the files."""
    import cv2
    import numpy as np

    from lifemask.ocio.media import exr
    from lifemask.ocio.media.reader import read

    files = []
    frames = plate.frames
    for number in progress.each(frames, "enlarge", len(frames)):
        frame = read(plate.sequence, number)
        size = (width, round(width * frame.rgb.shape[0] / frame.rgb.shape[1]))
        large = cv2.resize(frame.rgb, size, interpolation=cv2.INTER_CUBIC)
        channels = {c: large[..., i].astype(np.float16) for i, c in enumerate("RGB")}
        files.append(folder / f"large.{number:04d}.exr")
        exr.write(files[-1], channels, frame.header)
    return files


def _loop_tracks(shot: Shot, loop: Shot, order: list[int], width: int) -> None:
    import numpy as np

    for person, path in people_of(shot).items():
        track = FaceTrack.load(path)
        camera = track.camera
        scale = width / camera.width if width else 1.0
        again = {name: getattr(track, name)[order] for name in ("rotation", "expression")}
        replace(
            track,
            camera=camera.scaled(scale),
            frames=np.arange(FIRST, FIRST + len(order)),
            landmarks=track.landmarks[order] * np.float32(scale),
            confidence=track.confidence[order],
            **again,
        ).save(loop.version("track", person, 1))


def _loop_faceset(
    faceset: FaceSet, target: Path, order: list[int], plate: Footage, width: int
) -> None:
    """Write the plate's ``faceset`` as one of the looped plate."""
    import numpy as np

    target.mkdir()
    known = {int(frame): index for index, frame in enumerate(faceset.faces.frame)}
    places = [known.get(plate.frames[index]) for index in order]
    kept = [(place, FIRST + at) for at, place in enumerate(places) if place is not None]
    for number, (place, _) in enumerate(kept, 1):
        for kind in ("face", "texture"):
            file = faceset.folder / f"{kind}.{place + 1:04d}.exr"
            (target / f"{kind}.{number:04d}.exr").symlink_to(file.resolve())
    rows = np.array([place for place, _ in kept], int)
    person = ("neutral", "identity", "uncertainty", "albedo", "lights")
    arrays = {n: a if n in person else a[rows] for n, a in vars(faceset.faces).items()}
    arrays["frame"] = np.array([frame for _, frame in kept])
    factor = np.float32(width / plate.size()[0] if width else 1)
    arrays |= {name: arrays[name] * factor for name in ("landmarks", "scale", "centre", "velocity")}
    arrays["matrix"] = arrays["matrix"] / np.array([factor, factor, 1], np.float32)
    replace(faceset, folder=target, faces=Faces(**arrays)).write_index()
