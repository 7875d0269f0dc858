"""Small shots that several tests share: made once, never changed."""

import resource
import shutil
import signal
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from fake_nuke import running
from hypothesis import HealthCheck, settings
from nuke_artist import GIZMO, READ, Artist, StandIn

from lifemask.nodes.faceset import Faceset
from lifemask.nodes.faceset.files import FaceSet
from lifemask.nodes.shot.release import Release
from lifemask.nodes.swap.roles import FacesetRole
from lifemask.nodes.track import Track
from lifemask.nodes.types import FaceTrack, Model
from lifemask.ocio.media import exr
from lifemask.ocio.media.footage import Footage
from lifemask.ocio.media.reader import read
from lifemask.ocio.media.sequence import Sequence
from lifemask.plugin.packaging.nuke_folder import assemble

FOOTAGE = Path(__file__).parent / "footage"
SPACE = "Linear Rec.709 (sRGB)"
QUICK = Track(samples=2, smooth=1)
NO_FACE = 1004
"""The frame of the small plate whose face is painted out."""

# What a test says is the same in every run, however long an example takes.
patient = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("same", derandomize=True, **patient)
settings.load_profile("same")

# A run in the background is started deaf to Ctrl-C, and the processes that it starts would be.
signal.signal(signal.SIGINT, signal.default_int_handler)


LONGEST = ("test_blender", "test_paired", "test_train", "test_refiner")


def pytest_collection_modifyitems(items):
    """Put what takes longest first, so that no process is left with it at the end."""
    items.sort(key=lambda item: item.path.stem not in LONGEST)


@dataclass(frozen=True)
class Pair:
    """A plate with its track, and the facesets of its double and of a likeness."""

    plate: Footage
    track: FaceTrack
    likeness: FaceSet
    double: FaceSet

    @property
    def facesets(self):
        release = Release("ada", "demo", date(2099, 1, 1), "ada.md", "0" * 64, date(2024, 1, 1))
        return FacesetRole(self.track, self.likeness, self.double, release, "demo")

    @property
    def role(self):
        return self.facesets.role


def small_plate(folder, dtype=np.float16):
    """Eight frames (180, 240) with grain, lamps far above 1 and values below 0, and an alpha."""
    source = Sequence.find(FOOTAGE / "a1_dialogue/performer_b/beauty/beauty.####.exr", "1015-1022")
    random = np.random.default_rng(7)
    for number, frame in enumerate(source.frames, 1001):
        rgb = read(source, frame).rgb[90:270, 200:440].copy()
        rgb += random.normal(0, 0.004, rgb.shape).astype(np.float32)
        rgb[:12, :12], rgb[-12:, :12] = 40.0, -0.05
        if number == NO_FACE:
            rgb[:] = rgb[:, :1]
        planes = dict(zip("RGB", np.moveaxis(rgb.astype(dtype), -1, 0), strict=True))
        planes["A"] = random.random(rgb.shape[:2]).astype(dtype)
        exr.write(folder / f"plate.{number}.exr", planes, {"comments": "kept"})
    return Footage(Sequence.find(folder / "plate.####.exr"), SPACE)


def filled_in(folder):
    """Return what an artist fills in for a new shot in ``folder``, whose takes are put there."""
    takes = folder / "takes"
    takes.mkdir()
    for frame in range(1001, 1010):
        shutil.copy(FOOTAGE / f"takes/ada_studio/ada_studio.{frame}.exr", takes)
    return {
        "shot": f"{folder}/sh010",
        "takes": f"{takes}/ada_studio.####.exr",
        "takes_colorspace": SPACE,
        "recording": f"{folder}/dub.csv",
        "likeness": "ada",
        "document": str(FOOTAGE / "releases/ada.md"),
        "expires": "2099-12-31",
        "project": "demo",
        "track_samples": 2,
        "track_smooth": 1,
    }


@pytest.fixture(scope="session")
def pair(tmp_path_factory):
    """Return a plate of eight frames, one without a face, and the facesets to swap it."""
    folder = tmp_path_factory.mktemp("pair")
    plate = small_plate(folder / "plate")
    (track,) = QUICK(plate)
    take = Footage(Sequence.find(FOOTAGE / "takes/ada_studio/ada_studio.####.exr"), SPACE)
    likeness = Faceset()([take], QUICK(take)[:1], "ada", folder / "ada_v001")
    double = Faceset(every_frame=True)([plate], [track], "double", folder / "double_v001")
    return Pair(plate, track, likeness, double)


@pytest.fixture(scope="session")
def small(tmp_path_factory):
    """Return a model of two members, a tenth of the base's size, that learned nothing."""
    import torch

    from lifemask.nodes.refiner.model import RefinerModel
    from lifemask.nodes.refiner.network import Refiner

    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("small") / "model.safetensors"
    RefinerModel(Refiner(8, 2), 64, {"licence": "Apache-2.0"}).save(path)
    return Model(path)


@pytest.fixture(scope="session")
def cycle_examples(pair, small):
    """Return the examples that `pair` gives when `small` swaps it, 64 pixels a side."""
    from lifemask.nodes.learning.data.cycle_pairs import cycle_pairs
    from lifemask.nodes.learning.data.examples import ExampleSet
    from lifemask.nodes.refiner.model import RefinerModel

    both = cycle_pairs([pair.facesets], RefinerModel.load(small.path))
    every = [example for one in both for example in one.examples(64, 100)]
    return ExampleSet.collect(every, len(every), 64)


@pytest.fixture
def shot(pair, tmp_path):
    """Return a copy of the folder of a shot of `pair`, ready for `lifemask swap`."""
    from lifemask.plugin.commands.cli import main

    folder = tmp_path / "sh010"
    plate = tmp_path / "plate"
    shutil.copytree(Path(pair.plate.sequence.path).parent, plate)
    words = ["--plate", str(plate / "plate.####.exr"), "--colorspace", SPACE, "--fps", "24"]
    release = ["--performer", "ada", "--document", str(FOOTAGE / "releases/ada.md")]
    until = ["--project", "demo", "--expires", "2099-12-31"]
    assert main(["shot", "new", str(folder), *words]) == 0
    assert main(["release", "add", str(folder), *release, *until]) == 0
    pair.track.save(folder / "track/p1_v001.safetensors")
    for faceset in (pair.likeness, pair.double):
        shutil.copytree(faceset.folder, folder / "facesets" / faceset.folder.name)
    return folder


@pytest.fixture(scope="session")
def examples(cycle_examples):
    """Return the examples at half of their size, which no test changes."""
    from lifemask.nodes.learning.data.examples import ExampleSet

    return ExampleSet(cycle_examples.planes[..., ::2, ::2].contiguous(), cycle_examples.kinds)


@pytest.fixture
def clock(monkeypatch):
    """Let a step of a training take a second, however fast or busy the machine is."""
    from made_up_training import clock

    from lifemask.nodes.learning import callbacks, trainer

    for module in (trainer, callbacks):
        monkeypatch.setattr(module, "monotonic", clock())


@pytest.fixture
def quick(shot, small, examples, clock, monkeypatch):
    """Return a shot whose trainings begin at once, with the small model."""
    from lifemask.nodes.train import on_shot as train
    from lifemask.nodes.train import tune

    monkeypatch.setattr(train, "BASE", small)
    monkeypatch.setattr(tune, "_examples", lambda *_: examples)
    return shot


@contextmanager
def full_disk(room):
    """Let no file grow beyond ``room`` bytes: the log of the tests, too, so for one call only."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.fixture(scope="session")
def nuke_folder(tmp_path_factory):
    """Return the folder that a user puts on Nuke's plug-in path."""
    return assemble(tmp_path_factory.mktemp("plug in é") / "Lifemask")


@pytest.fixture
def started(nuke_folder):
    """Return a function that starts a strict Nuke with the folder on its plug-in path."""
    with running(nuke_folder) as start:
        yield start


@pytest.fixture
def artist(started, tmp_path, monkeypatch):
    """Return a Nuke with a node whose plate is a sequence of frames, and the worker's stand-in."""
    fake = started()
    session = sys.modules["lifemask_nuke.hosts.nuke.session"]
    client = StandIn()
    monkeypatch.setitem(session._clients, "", client)
    footage = tmp_path / "footage"
    footage.mkdir()
    for frame in range(fake.first, fake.last + 1):
        (footage / f"p.{frame}.exr").write_bytes(b"pixels")
    fake.footage = f"{footage}/p.####.exr"
    node = fake.add(GIZMO, "Lifemask1")
    node.setInput(0, fake.add(READ.format(fake.footage), "plate"))
    node["shot"]._value = str(tmp_path / "sh 010")
    return Artist(fake, node, client, session)
