"""A checkpoint is all that was saved, to the byte, or it is refused; whenever a run was killed."""

import os
import shutil
from dataclasses import astuple
from pathlib import Path

import numpy as np
import pytest
from conftest import full_disk
from hypothesis import given, settings
from hypothesis import strategies as st
from killed import watched

from lifemask.nodes.errors import BrokenFileError, KnobError, WriteError
from lifemask.nodes.learning import checkpoint
from lifemask.nodes.learning.checkpoint import State, load, randomness, restore, save

FILES = ["weights", "average", "optimiser", "order", "randomness", "history"]
NAMES = ["index.json", *(f"{part}.safetensors" for part in FILES)]


def state(step, **changes):
    parts = {part: {part: np.full(4, step, np.float32)} for part in FILES}
    return State(
        **{"step": step, "configuration": {"size": 128, "scales": (1, 2)}} | parts | changes
    )


def kept(folder):
    return sorted(path.name for path in folder.iterdir())


def refusal(folder):
    with pytest.raises(BrokenFileError) as caught:
        load(folder)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("kills", [3, pytest.param(50, marks=pytest.mark.slow)])
def test_a_training_that_was_killed_has_the_losses_of_one_that_was_not(kills, tmp_path):
    seen = watched("training", tmp_path, kills)
    assert seen["statuses"].count(-9) == kills
    assert set(seen["statuses"]) == {0, -9}
    whole, *others = seen["ends"]
    assert len(whole[0]) == 40
    assert others
    assert all(end == whole for end in others)


def test_saving_that_is_killed_at_any_touch_of_the_disk_leaves_the_old_state_or_the_new(tmp_path):
    seen = watched("saving", tmp_path)
    old, new = ([step, [step] * 3, [step]] for step in (1, 2))
    changed = seen["steps"].index(new)
    assert changed > len(FILES)
    assert seen["steps"] == [old] * changed + [new] * (len(seen["steps"]) - changed)
    assert set(seen["left"]) == {checkpoint.KEPT}


def test_what_is_loaded_is_what_was_saved(tmp_path):
    save(tmp_path / "model", state(3))
    found = load(tmp_path / "model")
    assert found.step == 3
    assert found.configuration == {"size": 128, "scales": [1, 2]}
    for part in FILES:
        assert np.array_equal(getattr(found, part)[part], np.full(4, 3, np.float32))


def test_the_newest_counts_and_few_are_kept(tmp_path):
    for step in range(checkpoint.KEPT + 3):
        save(tmp_path, state(step))
        assert load(tmp_path).step == step
    assert len(kept(tmp_path)) == checkpoint.KEPT


def test_the_order_holds_beyond_a_million(tmp_path):
    for number, step in ((999999, 1), (1000000, 2)):
        save(tmp_path / "one", state(step)).rename(tmp_path / f"checkpoint_{number}_{'0' * 16}")
    assert "checkpoint_1000000" in refusal(tmp_path)


def test_removing_the_newest_goes_back_to_the_one_before(tmp_path):
    first = save(tmp_path, state(1))
    second = save(tmp_path, state(2))
    (second / "weights.safetensors").write_bytes(b"")
    assert f"removing {second.name} goes back to {first.name}" in refusal(tmp_path)
    shutil.rmtree(second)
    assert load(tmp_path).step == 1


def test_there_is_no_state_before_the_first_set_is_finished(tmp_path):
    assert load(tmp_path / "nowhere") is None
    (tmp_path / ".checkpoint_000001.part").mkdir()
    (tmp_path / ".checkpoint_000001.part/index.json").write_bytes(b"{}")
    assert load(tmp_path) is None


def test_what_a_killed_run_left_is_cleaned_by_the_next_save_and_not_by_a_reader(tmp_path):
    (tmp_path / ".checkpoint_000001.part").mkdir()
    (tmp_path / "preview.png").touch()
    load(tmp_path)
    assert kept(tmp_path) == [".checkpoint_000001.part", "preview.png"]
    finished = save(tmp_path, state(1))
    assert kept(tmp_path) == [finished.name, "preview.png"]


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    return folder, save(folder, state(1))


@settings(max_examples=300)
@given(name=st.sampled_from(NAMES), data=st.data())
def test_one_byte_that_differs_or_is_missing_is_refused(saved, name, data):
    folder, finished = saved
    file = finished / name
    whole = file.read_bytes()
    place = data.draw(st.integers(0, len(whole) - 1))
    flipped = bytes([whole[place] ^ data.draw(st.integers(1, 255))])
    other = data.draw(
        st.sampled_from(
            [whole[:place], whole[:place] + flipped + whole[place + 1 :], whole + flipped]
        )
    )
    file.write_bytes(other)
    try:
        assert str(file) in refusal(folder)
    finally:
        file.write_bytes(whole)
    assert load(folder).step == 1


@pytest.mark.parametrize("name", NAMES)
def test_a_file_that_is_gone_is_named(name, tmp_path):
    file = save(tmp_path, state(1)) / name
    file.unlink()
    assert refusal(tmp_path) == f"{file}: is gone; a checkpoint needs all of its files"


def test_a_folder_that_cannot_be_read_is_not_an_empty_one(tmp_path):
    (tmp_path / "model").write_text("")
    assert str(tmp_path / "model") in refusal(tmp_path / "model")


def test_another_version_is_refused(tmp_path, monkeypatch):
    with monkeypatch.context() as later:
        later.setattr(checkpoint, "PROTOCOL", 4)
        save(tmp_path, state(1))
    assert "is a checkpoint of version 4; this Lifemask reads version 3" in refusal(tmp_path)


def test_another_layout_of_textures_is_refused(tmp_path, monkeypatch):
    with monkeypatch.context() as other:
        other.setattr(checkpoint, "atlas_layout", lambda: "another")
        save(tmp_path, state(1))
    assert "another texture layout" in refusal(tmp_path)


def test_another_configuration_is_refused_by_its_first_value_that_differs(tmp_path):
    save(tmp_path, state(1))
    assert load(tmp_path, {"scales": (1, 2)}).step == 1
    with pytest.raises(KnobError, match=r"size: is 256, .* began with 128"):
        load(tmp_path, {"scales": (1, 2), "size": 256})
    with pytest.raises(KnobError, match=r"preset: is 'draft', .* began with None"):
        load(tmp_path, {"preset": "draft"})


@pytest.mark.parametrize("room", [0, 100, 40_000])
def test_a_full_disk_leaves_the_old_sets_as_they_were(room, tmp_path):
    save(tmp_path, state(1))
    before = kept(tmp_path)
    large = state(2, optimiser=np.zeros(20_000, np.float32))
    with full_disk(room), pytest.raises(WriteError, match=r"checkpoint of step 2 cannot be saved"):
        save(tmp_path, large)
    assert kept(tmp_path) == before
    assert load(tmp_path).step == 1


def test_everything_is_on_the_disk_before_the_switch_and_the_switch_after_it(tmp_path, monkeypatch):
    events = []
    flush, rename = os.fsync, Path.rename

    def flushed(handle):
        events.append(Path(f"/proc/self/fd/{handle}").readlink().name)
        flush(handle)

    def renamed(path, target):
        events.append("rename")
        return rename(path, target)

    monkeypatch.setattr(os, "fsync", flushed)
    monkeypatch.setattr(Path, "rename", renamed)
    save(tmp_path, state(1))
    switch = events.index("rename")
    assert sorted(events[:switch]) == sorted([".checkpoint_000001.part", *NAMES])
    assert events[switch + 1 :] == [tmp_path.name]


def test_chance_goes_on_where_it_was(tmp_path):
    import torch

    generator = np.random.default_rng(5)
    generator.random(3), torch.rand(3)
    save(tmp_path, state(1, randomness=randomness(generator)))
    expected = generator.random(3).tolist(), torch.rand(3).tolist()
    restore(load(tmp_path).randomness, generator)
    assert (generator.random(3).tolist(), torch.rand(3).tolist()) == expected


def test_no_part_of_a_state_is_left_out(tmp_path):
    save(tmp_path, state(1))
    assert all(part is not None for part in astuple(load(tmp_path)))
