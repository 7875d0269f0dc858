"""Training a shot: it can be stopped, killed and resumed, and what is broken is refused."""

import json
import shutil
import signal
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from killed import watched
from made_up_training import (
    CONFIG,
    QUICK,
    contents,
    history,
    minutes,
    model_of,
    refused,
    run_of,
    steps,
    trained,
)
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.summary.writer import event_file_writer

from lifemask.nodes import archive, device, memory, progress
from lifemask.nodes.errors import FaceError, KnobError, ReleaseError, StoppedError
from lifemask.nodes.learning import callbacks, checkpoint, train_refiner
from lifemask.nodes.learning.augment.jitter import random_windows
from lifemask.nodes.learning.data.cycle_pairs import cycle_pairs
from lifemask.nodes.learning.data.examples import Batch, ExampleSet
from lifemask.nodes.learning.train_refiner import RefinerRun, refiner_trainer
from lifemask.nodes.learning.trainer import Trainer, halved
from lifemask.nodes.refiner.model import RefinerModel
from lifemask.nodes.shot.folder import Shot
from lifemask.nodes.swap import Swap, write_swap
from lifemask.nodes.swap.roles import cast_of
from lifemask.nodes.train import PRESETS, Train, tune
from lifemask.nodes.train import on_shot as train
from lifemask.nodes.types import LEAST_CONFIDENCE
from lifemask.ocio.media import exr
from lifemask.ocio.system.signals import deferred_signals
from lifemask.plugin.commands.cli import main

pytestmark = pytest.mark.usefixtures("clock")

# From facesets to a model


def test_a_training_leaves_a_model_a_preview_losses_and_a_checkpoint(
    pair, small, tmp_path, monkeypatch
):
    node = Train(size=32, batch=2, minutes=minutes(3), max_examples=8)
    notes, sides = [], set()

    def listen(example, side):
        window = random_windows(example, side)
        sides.add((example.planes.shape[-1], window.planes.shape[-1]))
        return window

    monkeypatch.setattr(train_refiner, "random_windows", listen)
    with progress.reporting(lambda said: notes.append(said.note)):
        model = node([pair.facesets], small, tmp_path / "models")
    made = RefinerModel.load(model.path)
    # A smaller size sees windows of faces as large as the model knows them.
    assert made.size == 64
    assert sides == {(64, 32)}
    (spent,) = made.about["trained"]
    assert spent["whom"] == ["ada", "double"]
    assert spent["from"] == RefinerModel.load(small.path).digest
    assert spent["steps"] == len(history(tmp_path / "models")) == 3
    assert made.about["licence"] == "Apache-2.0"
    assert any("GiB" in note or "MiB" in note for note in notes)
    preview = cv2.imread(str(tmp_path / "models/preview.png"))
    assert preview.shape == (4 * 64, 6 * 64, 3)
    plate, bare, _, _ = np.split(preview.astype(float), 4)
    assert plate.std() > 10
    assert 0 < (plate != bare).any(-1).mean() < 0.9
    changed = [
        (weight != old).any()
        for weight, old in zip(
            made.network.state_dict().values(),
            RefinerModel.load(small.path).network.state_dict().values(),
            strict=True,
        )
    ]
    assert any(changed)
    frame = replace(pair.plate, sequence=replace(pair.plate.sequence, frames=(1002,)))
    write_swap(Swap(), frame, [pair.role], tmp_path / "swap", "a", model=model)
    _, header = exr.read_channels(tmp_path / "swap/a.1002.exr")
    assert header["lifemask/model"] == made.digest


def test_what_is_left_is_told(examples, small, tmp_path):
    def told(count):
        said = []
        with pytest.raises(StoppedError), steps(count, said):
            train_refiner.train_refiner(RefinerModel.load(small.path), examples, CONFIG, tmp_path)
        return [(one.done, one.total) for one in said if one.task == "train" and one.total]

    first = told(2)
    assert first[0] == (0, 3600)
    assert first[1:] == [(1, 3600), (2, 3600)]
    state = checkpoint.load(tmp_path / "checkpoints")
    state.order["seconds"] = 1000.0
    checkpoint.save(tmp_path / "checkpoints", state)
    assert told(1) == [(0, 2600), (1, 2600)]


def test_it_learns(examples, small, tmp_path):
    losses = [one["loss"] for one in run_of(examples, small, tmp_path, 60)]
    assert np.mean(losses[-10:]) < np.mean(losses[:10])


@pytest.mark.slow
def test_a_face_is_not_learned_larger_than_it_is_in_the_plate(pair, small, tmp_path):
    node = Train(preset="hero", batch=1, minutes=minutes(1), max_examples=8)
    notes = []
    with progress.reporting(lambda said: notes.append(said.note)):
        model = node([pair.facesets], small, tmp_path / "models")
    made = RefinerModel.load(model.path)
    assert made.size == 256
    assert [one["crop"] for one in made.about["trained"]] == [256]
    assert any("at 256 px; 512 would only magnify" in note for note in notes)


@pytest.mark.parametrize("before", [[], [{"steps": 1}]], ids=["nothing", "something"])
def test_what_a_model_learned_before_stays_by_half(before, examples, small, tmp_path):
    start = replace(RefinerModel.load(small.path), about={"trained": before})
    run = refiner_trainer(start.network, examples, CONFIG)
    run.step()
    learned = run.average.state_dict()
    made = RefinerRun(run, start, CONFIG, {}).model().network.state_dict()
    for name, weight in start.network.state_dict().items():
        expected = (weight + learned[name]) / 2 if before else learned[name]
        torch.testing.assert_close(made[name], expected)


def test_members_learn_in_turn_and_apart(examples, small):
    run = refiner_trainer(RefinerModel.load(small.path).network, examples, CONFIG)

    def members():
        return [torch.cat([w.flatten() for w in one.parameters()]) for one in run.network.members]

    before = members()
    assert len(before) == 2
    for turn in (0, 1, 0):
        run.step()
        after = members()
        changed = [not torch.equal(a, b) for a, b in zip(before, after, strict=True)]
        assert changed == [turn == 0, turn == 1]
        before = after


@pytest.mark.parametrize(
    ("kills", "steps"), [(2, 12), pytest.param(50, 40, marks=pytest.mark.slow)]
)
def test_a_run_that_was_killed_has_the_losses_of_one_that_was_not(
    kills, steps, examples, small, tmp_path
):
    np.save(tmp_path / "examples.npy", examples.planes.numpy())
    shutil.copy(small.path, tmp_path)
    seen = watched("refining", tmp_path, kills, steps)
    assert seen["statuses"].count(-signal.SIGKILL) == kills
    assert set(seen["statuses"]) == {0, -signal.SIGKILL}
    whole, *others = seen["ends"]
    assert len(whole[0]) == steps
    assert others
    assert all(end == whole for end in others)


# Stopped


@pytest.mark.parametrize("faces", ["examples", "cycle_examples"], ids=["faces", "windows"])
def test_a_stopped_run_goes_on_where_it_was(faces, request, small, tmp_path):
    shown = request.getfixturevalue(faces)
    whole = run_of(shown, small, tmp_path / "whole", 12)
    assert len(run_of(shown, small, tmp_path / "parts", 5)) == 5
    RefinerModel.load(tmp_path / "parts/model.safetensors")
    assert run_of(shown, small, tmp_path / "parts", 7) == whole


def test_the_log_tells_of_every_step_once(examples, small, tmp_path, monkeypatch):
    monkeypatch.setattr(callbacks, "SAVE_INTERVAL", 3600)
    # Logs are read by second, process and count, as text: in one second 10 would come before 9.
    count = event_file_writer.AtomicCounter(100)
    monkeypatch.setattr(event_file_writer, "_global_uid", count)
    run_of(examples, small, tmp_path, 3)
    with monkeypatch.context() as killed:
        killed.setattr(callbacks.Checkpoints, "save", lambda self: None)
        run_of(examples, small, tmp_path, 4)
    run_of(examples, small, tmp_path, 5)
    log = EventAccumulator(str(tmp_path / "log")).Reload()
    assert [event.step for event in log.Scalars("loss/l1")] == list(range(1, 9))
    told = [event.value for event in log.Scalars("loss/loss")]
    assert told == pytest.approx([one["loss"] for one in history(tmp_path)])
    assert log.Images("preview")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_in_the_middle_of_a_step_loses_nothing(quick, monkeypatch, capsys, number):
    learn, calls = Trainer._learn, []

    def interrupted(self, chosen):
        calls.append(chosen)
        if len(calls) == 3:
            signal.raise_signal(number)
        return learn(self, chosen)

    with monkeypatch.context() as stopped:
        stopped.setattr(Trainer, "_learn", interrupted)
        assert trained(quick, steps=60) == 130
    assert capsys.readouterr().err.splitlines()[-1] == "lifemask: train: stopped by the user"
    before = history(quick / "models/refiner_v001")
    assert len(before) == 3
    assert main(["swap", str(quick), "--likeness", "ada", "--frames", "1001"]) == 0
    _, header = exr.read_channels(next((quick / "swaps/ada_v001").iterdir()))
    assert header["lifemask/model"] == RefinerModel.load(model_of(quick)).digest
    assert trained(quick, steps=5) == 0
    after = history(quick / "models/refiner_v001")
    assert after[:3] == before
    assert len(after) == 5
    assert not (quick / "models/refiner_v002").exists()


def test_a_signal_inside_a_deferred_block_strikes_at_its_end():
    done = []
    with pytest.raises(KeyboardInterrupt), deferred_signals():
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        done.append(True)
    assert done
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(ZeroDivisionError), deferred_signals():
        raise ZeroDivisionError
    assert signal.getsignal(signal.SIGINT) is before


# Versions


def test_a_finished_training_is_the_start_of_the_next_version(quick):
    assert trained(quick) == trained(quick) == 0
    first, second = (RefinerModel.load(model_of(quick, version)) for version in (1, 2))
    assert [one["from"] for one in second.about["trained"]] == [
        first.about["trained"][0]["from"],
        first.digest,
    ]
    assert all(one["finished"] for one in second.about["trained"])


def test_a_version_that_is_there_is_trained_anew_only_when_told(quick, capsys):
    assert trained(quick) == 0
    sentence = refused(capsys, partial(trained, quick, "--version", "1"))
    assert "--overwrite" in sentence
    was = RefinerModel.load(model_of(quick)).digest
    assert trained(quick, "--version", "1", "--overwrite", "--seed", "2") == 0
    made = RefinerModel.load(model_of(quick))
    (spent,) = made.about["trained"]
    assert (spent["seed"], spent["steps"]) == (2, len(history(model_of(quick).parent)))
    assert made.digest != was
    assert not (quick / "models/refiner_v002").exists()


def test_the_command_that_overwrites_goes_on_with_what_it_began(stopped):
    """After a crash it is typed again, and nothing that it learned is thrown away."""
    shot, newest = stopped
    before = history(newest.parents[1])
    assert trained(shot, "--version", "1", "--overwrite", steps=5) == 0
    after = history(model_of(shot).parent)
    assert after[:3] == before
    assert len(after) == 5


def test_a_model_that_cannot_be_read_is_trained_anew_when_told(quick, capsys):
    assert trained(quick) == 0
    cut_short(model_of(quick))
    said = refused(capsys, partial(trained, quick))
    assert said.endswith("--version 1 --overwrite trains it anew")
    assert trained(quick, "--version", "1", "--overwrite") == 0
    assert RefinerModel.load(model_of(quick)).about["trained"][0]["finished"]


def test_a_thousand_versions_are_in_order(quick, small):
    for number in (999, 1000):
        model_of(quick, number).parent.mkdir(parents=True)
        shutil.copy(small.path, model_of(quick, number))
    assert train.newest(Shot.load(quick)).path == model_of(quick, 1000)
    assert train.newest(Shot.load(quick), before=1000).path == model_of(quick, 999)
    assert train.newest(Shot.load(quick), before=999) is None


def test_a_version_that_has_no_model_yet_is_told(quick, small):
    model_of(quick).parent.mkdir(parents=True)
    shutil.copy(small.path, model_of(quick))
    (quick / "models/refiner_v002").mkdir()
    notes = []
    with progress.reporting(lambda said: notes.append(said.note)):
        assert train.newest(Shot.load(quick)).path == model_of(quick)
    assert notes == ["refiner_v002 has no model yet: an earlier one serves"]


# Refused


@pytest.mark.parametrize(
    ("old", "new"),
    [("expires = 2099-12-31", "expires = 2020-12-31"), ('project = "demo"', 'project = "other"')],
)
def test_a_release_that_does_not_hold_is_refused_as_in_a_swap(quick, capsys, old, new):
    release = quick / "releases/ada.toml"
    text = release.read_text()
    assert old in text
    release.write_text(text.replace(old, new))
    swap = ["swap", str(quick), "--likeness", "ada"]
    assert refused(capsys, partial(trained, quick)) == refused(capsys, partial(main, swap))
    assert not (quick / "models").exists()


def test_nobody_is_trained_without_a_release(quick, capsys):
    (quick / "releases/ada.toml").unlink()
    swap = ["swap", str(quick), "--likeness", "ada"]
    assert refused(capsys, partial(trained, quick)) == refused(capsys, partial(main, swap))


def test_the_node_asks_for_the_release_itself(pair, small, tmp_path):
    late = replace(pair.facesets, release=replace(pair.role.release, expires=date(2020, 1, 1)))
    with pytest.raises(ReleaseError) as trained:
        Train()([late], small, tmp_path / "models")
    with pytest.raises(ReleaseError) as swapped:
        Swap()(pair.plate, [late.role])
    assert str(trained.value) == str(swapped.value)
    assert not (tmp_path / "models").exists()


def test_a_size_that_the_network_has_not_is_refused(pair, small, tmp_path):
    with pytest.raises(KnobError, match="size: 40 is not a multiple of 32"):
        Train(size=40)([pair.facesets], small, tmp_path)


@pytest.fixture
def stopped(quick):
    """Return a shot with a training that was stopped, and its newest checkpoint."""
    folder, cast = quick / "models/refiner_v001", cast_of(Shot.load(quick), ["ada"])
    with pytest.raises(StoppedError), steps(3):
        Train(size=32, batch=2, minutes=1)(cast, train.BASE, folder)
    (newest,) = (folder / "checkpoints").iterdir()
    return quick, newest


def too_soon(*_):
    """Making cycle pairs takes minutes: what cannot resume is refused before."""
    raise AssertionError


def altered(file):
    raw = bytearray(file.read_bytes())
    raw[len(raw) // 2] ^= 1
    file.write_bytes(raw)


def cut_short(file):
    file.write_bytes(file.read_bytes()[:-100])


def of_another_version(file):
    index = json.loads((file.parent / "index.json").read_bytes())
    raw = json.dumps({**index, "protocol": 9}).encode()
    (file.parent / "index.json").write_bytes(raw)
    name = f"checkpoint_000001_{checkpoint._hash(raw)[:16]}"
    file.parent.rename(file.parent.with_name(name))


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (altered, "weights.safetensors: was altered since it was saved"),
        (cut_short, "weights.safetensors: was cut short"),
        (Path.unlink, "weights.safetensors: is gone"),
        (of_another_version, "is a checkpoint of version 9; this Lifemask reads version 3"),
    ],
)
def test_a_broken_checkpoint_is_refused_and_nothing_is_lost(
    stopped, monkeypatch, capsys, harm, said
):
    shot, newest = stopped
    harm(newest / "weights.safetensors")
    monkeypatch.setattr(tune, "_examples", too_soon)
    before = contents(shot / "models")
    assert said in refused(capsys, partial(trained, shot))
    assert contents(shot / "models") == before


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--size", "64"], "size: is 64, the training in "),
        (["--batch", "3"], "batch: is 3, the training in "),
        (["--seed", "3"], "seed: is 3, the training in "),
        (["--max-examples", "9"], "max_examples: is 9, the training in "),
    ],
)
def test_another_training_does_not_go_on_with_this_one(stopped, monkeypatch, capsys, words, said):
    shot, _ = stopped
    monkeypatch.setattr(tune, "_examples", too_soon)
    before = contents(shot / "models")
    assert said in refused(capsys, partial(trained, shot, *words))
    assert contents(shot / "models") == before


def test_another_cast_does_not_go_on_with_this_one(pair, stopped, capsys):
    shot, _ = stopped
    ben = replace(pair.likeness, folder=shot / "facesets/ben_v001", performer="ben")
    shutil.copytree(pair.likeness.folder, ben.folder)
    ben.write_index()
    release = (shot / "releases/ada.toml").read_text()
    (shot / "releases/ben.toml").write_text(release.replace("ada", "ben"))
    shutil.copy(shot / "releases/ada.md", shot / "releases/ben.md")
    before = contents(shot / "models")
    words = ["train", str(shot), *QUICK[2:], "1", "--likeness", "ben"]
    said = refused(capsys, partial(main, words))
    assert "performers: is ['ben', 'double']" in said
    assert said.endswith("(another --version or --out), or remove this one")
    assert contents(shot / "models") == before


def test_a_faceset_that_was_made_anew_does_not_go_on_with_this_one(pair, stopped, capsys):
    shot, _ = stopped
    folder = shot / "facesets/ada_v001"
    faces = replace(pair.likeness.faces, exposure=pair.likeness.faces.exposure + 1)
    replace(pair.likeness, folder=folder, faces=faces).write_index()
    before = contents(shot / "models")
    assert "the facesets changed since the training in" in refused(capsys, partial(trained, shot))
    assert contents(shot / "models") == before


def test_a_faceset_that_vanished_is_named(stopped, capsys):
    shot, _ = stopped
    shutil.rmtree(shot / "facesets/ada_v001")
    before = contents(shot / "models")
    assert "ada: nothing in facesets/" in refused(capsys, partial(trained, shot))
    assert contents(shot / "models") == before


def test_a_picture_that_vanished_is_named(shot, small, monkeypatch, capsys):
    monkeypatch.setattr(train, "BASE", small)
    file = shot / "facesets/ada_v001/face.0003.exr"
    file.unlink()
    assert str(file) in refused(capsys, partial(trained, shot))
    assert not (shot / "models").exists()


def test_pictures_with_nan_are_named_counted_and_left_out(pair, small, tmp_path):
    folder = tmp_path / "ada_v001"
    shutil.copytree(pair.likeness.folder, folder)
    for number in (2, 5):
        file = folder / f"face.{number:04d}.exr"
        planes, header = exr.read_channels(file)
        planes["G"] = planes["G"].copy()
        planes["G"][100, 100] = np.nan
        exr.write(file, planes, header)
    role = replace(pair.facesets, likeness=replace(pair.likeness, folder=folder))
    notes = []
    with progress.reporting(lambda said: notes.append(said.note)):
        _, own = cycle_pairs([role], RefinerModel.load(small.path))
        made = list(own.examples(32, 100))
    assert f"{folder}: 2 not finite, skipped: face.0002.exr, face.0005.exr" in notes
    assert len(made) == len(pair.likeness) - 2
    assert all(torch.isfinite(example.planes).all() for example in made)


def test_faces_behind_a_hand_are_left_out(pair, small):
    confidence = pair.likeness.faces.confidence.copy()
    confidence[[1, 4]] = LEAST_CONFIDENCE / 2
    likeness = replace(pair.likeness, faces=replace(pair.likeness.faces, confidence=confidence))
    played, own = cycle_pairs(
        [replace(pair.facesets, likeness=likeness)], RefinerModel.load(small.path)
    )
    for sound in (played.usable, own.usable):
        assert np.flatnonzero(~sound[likeness.folder]).tolist() == [1, 4]


def test_nobody_to_learn_from_is_said():
    with pytest.raises(FaceError, match="not one face"):
        ExampleSet.collect([], 4, 32)


def spoilt(examples, count):
    planes = examples.planes.clone()
    planes[:count, :, 3, 5] = torch.nan
    return ExampleSet(planes, examples.kinds)


def test_examples_that_are_not_finite_are_counted_and_left_out(examples):
    notes, whole = [], examples.planes[:4].float()
    broken = Batch.of(whole[:1] * torch.nan)
    every = [broken, *(Batch.of(planes[None]) for planes in whole), broken]
    with progress.reporting(lambda said: notes.append(said.note)):
        kept = ExampleSet.collect(every, len(every), 32)
    assert torch.equal(kept.planes, examples.planes[:4])
    assert notes == ["skipped 2 examples that are not finite"]


def test_a_batch_that_is_not_finite_changes_nothing_and_is_told(examples, small):
    run, notes = (
        refiner_trainer(RefinerModel.load(small.path).network, spoilt(examples, 1), CONFIG),
        [],
    )
    with progress.reporting(lambda said: notes.append(said.note)):
        for _ in range(len(examples) // CONFIG.batch):
            run.step()
    assert notes == ["skipped a batch that is not finite (1 so far)"]
    assert np.isfinite([[*losses.values()] for losses in run.history]).all()
    for weights in (run.network.parameters(), run.average.parameters()):
        assert all(weight.isfinite().all() for weight in weights)


def test_a_training_that_is_never_finite_ends(examples, small, tmp_path):
    with pytest.raises(KnobError, match=r"^learning_rate: after 0 steps no batch is finite"):
        run_of(spoilt(examples, len(examples)), small, tmp_path, 4)
    assert not (tmp_path / "model.safetensors").exists()


# The model's file


def rewritten(path, **changes):
    arrays, about = archive.load(path, "model")
    about.update(changes)
    archive.save(path, "model", arrays, {k: v for k, v in about.items() if v is not None})


def made_nan(path):
    arrays, about = archive.load(path, "model")
    first = next(iter(arrays))
    archive.save(path, "model", {**arrays, first: np.full_like(arrays[first], np.nan)}, about)


BROKEN = {
    "cut": lambda path: path.write_bytes(path.read_bytes()[:-10]),
    "altered": altered,
    "empty": lambda path: path.write_bytes(b""),
    "version": lambda path: rewritten(path, version=9),
    "no version": lambda path: rewritten(path, version=None),
    "geometry": lambda path: rewritten(path, geometry="another"),
    "not finite": made_nan,
    "width": lambda path: rewritten(path, width=16),
    "no members": lambda path: rewritten(path, members=0),
    "other members": lambda path: rewritten(path, members=3),
    "members of words": lambda path: rewritten(path, members="two"),
    "width of words": lambda path: rewritten(path, width="wide"),
    "size": lambda path: rewritten(path, size="large"),
    "kind": lambda path: archive.save(path, "track", {}, {}),
}


@pytest.mark.parametrize("harm", BROKEN.values(), ids=BROKEN)
def test_a_broken_model_is_named_by_swap_and_train(quick, small, capsys, harm):
    path = model_of(quick)
    path.parent.mkdir(parents=True)
    RefinerModel(RefinerModel.load(small.path).network, 32, {"trained": [{"finished": True}]}).save(
        path
    )
    harm(path)
    before = contents(quick / "models")
    swap = ["swap", str(quick), "--likeness", "ada", "--frames", "1001"]
    for work in (partial(main, swap), partial(trained, quick)):
        assert str(path) in refused(capsys, work)
    assert contents(quick / "models") == before
    assert not (quick / "swaps/ada_v001").exists()


def test_a_model_that_does_not_tell_of_its_training_is_named(quick, small, capsys):
    model_of(quick).parent.mkdir(parents=True)
    shutil.copy(small.path, model_of(quick))
    said = refused(capsys, partial(trained, quick))
    assert f"{model_of(quick)}: does not tell of its training" in said


# Memory


def filled():
    """The processor's memory, asked for more than there is."""
    return torch.empty(2**60, dtype=torch.uint8)


def full_card():
    raise torch.OutOfMemoryError("full")


def full_list():
    raise MemoryError


def full_primitive():
    raise RuntimeError("could not create a primitive")


@pytest.mark.parametrize("fill", [filled, full_card, full_list, full_primitive])
def test_a_batch_that_memory_has_no_room_for_is_halved(
    examples, small, tmp_path, monkeypatch, fill
):
    learn, tried = Trainer._learn, []

    def full(self, chosen):
        tried.append(len(chosen))
        if len(chosen) > 1:
            fill()
        return learn(self, chosen)

    monkeypatch.setattr(Trainer, "_learn", full)
    assert len(run_of(examples, small, tmp_path, 3)) == 3
    assert tried == [4, 2, 1, 1, 1]
    assert len(run_of(examples, small, tmp_path, 1)) == 4
    assert tried[5:] == [1]


def test_examples_live_on_a_card_that_has_room_to_learn_beside_them(monkeypatch):
    assert not memory.fits_card(1)
    monkeypatch.setattr(device, "device", lambda: torch.device("cuda"))
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _: (2**30, 2**31))
    assert memory.fits_card(2**28)
    assert not memory.fits_card(2**29)


@pytest.mark.parametrize("preset", PRESETS)
def test_a_card_needs_fewer_minutes(preset, monkeypatch):
    def chosen(where):
        monkeypatch.setattr(device, "device", lambda: torch.device(where))
        return Train(preset=preset).chosen

    card, processor = chosen("cuda"), chosen("cpu")
    assert card.minutes < processor.minutes
    assert (card.size, card.batch) == (processor.size, processor.batch)
    assert Train(preset=preset, minutes=7).chosen.minutes == 7


def test_another_fault_is_not_taken_for_a_full_memory(examples, small, tmp_path, monkeypatch):
    def fails(self, chosen):
        raise RuntimeError("shapes differ")

    monkeypatch.setattr(Trainer, "_learn", fails)
    with pytest.raises(RuntimeError, match="shapes differ"):
        train_refiner.train_refiner(RefinerModel.load(small.path), examples, CONFIG, tmp_path)


def test_a_halved_batch_is_told():
    notes = []
    with progress.reporting(lambda said: notes.append(said.note)):
        assert halved(torch.OutOfMemoryError("full"), [3, 4, 5]) == [3]
    assert notes == ["memory is full: batches of 1 from now on"]


def test_no_room_for_one_example_is_said():
    with pytest.raises(KnobError, match="size: there is not enough memory"):
        halved(torch.OutOfMemoryError("full"), [3])


@pytest.mark.parametrize("fill", [filled, full_card, full_list])
def test_no_room_for_cycle_pairs_is_said(quick, monkeypatch, capsys, fill):
    monkeypatch.setattr(tune, "_examples", lambda *_: fill())
    assert "not enough memory for the cycle pairs" in refused(capsys, partial(trained, quick))
    assert not (quick / "models").exists()


def test_no_room_for_the_examples_is_said():
    with pytest.raises(KnobError, match="max_examples: there is not enough memory for 1000000"):
        ExampleSet.collect([], 1_000_000, 2**15)
