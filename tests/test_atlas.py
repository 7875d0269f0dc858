"""The atlas, as it ships and as its recipe makes it of a few frames: a sound texture space."""

import re
import shutil
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from made_up import rotations, somebody, tracked

from lifemask.nodes.errors import FaceError
from lifemask.nodes.faces import topology
from lifemask.nodes.faceset.provider import posed_faces_of
from lifemask.nodes.learning.make_motion import learned
from lifemask.nodes.render.atlas import SIZE, atlas, per_atlas, texels, using
from lifemask.nodes.render.make_atlas import empty, make, save, with_shapes
from lifemask.nodes.render.shape import turned
from lifemask.ocio.media import exr

SHIPPED = Path(atlas.__code__.co_filename).with_name("atlas.safetensors")
RENDERS = Path(__file__).parent / "footage/a1_dialogue"
OUTLINE = np.arange(topology.MESH_COUNT, topology.MESH_COUNT + len(topology.OVAL))
NEARLY_NOTHING = 1e-5  # of texture space: half a texel


def few_frames(corpus):
    """A corpus of one take with one person and one blend, bald, two frames each."""
    for person in ("performer_b", "performer_a_on_b"):
        for frame in (1015, 1031):
            beauty, mattes = (
                f"{person}/{kind}/{kind}.{frame}.exr" for kind in ("beauty", "mattes")
            )
            (corpus / "take" / beauty).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(RENDERS / beauty, corpus / "take" / beauty)
            face = exr.read_channels(RENDERS / mattes)[0]["face"]
            planes = {"face": face, "head": face, "hair": face * 0}
            exr.write(corpus / "take" / mattes, planes, {})
    return corpus


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return make(few_frames(tmp_path_factory.mktemp("corpus")))


@pytest.fixture(params=["shipped", "made"])
def sound(request, made):
    return atlas() if request.param == "shipped" else made[0]


def doubled_areas(corners):
    """Twice the signed areas of triangles (T, 3, 2)."""
    side, other = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    return side[:, 0] * other[:, 1] - side[:, 1] * other[:, 0]


def test_no_triangle_of_the_layout_is_flipped(sound):
    areas = doubled_areas(sound.uv[sound.triangles])
    flipped = areas * np.sign(np.median(areas)) <= 0
    assert flipped.sum() <= 1
    assert np.abs(areas[flipped]).sum() < NEARLY_NOTHING


def test_triangles_fill_the_outline_without_gap_or_overlap(sound):
    pairs = np.concatenate([sound.triangles[:, [i, (i + 1) % 3]] for i in range(3)])
    edges, count = np.unique(np.sort(pairs, axis=1), axis=0, return_counts=True)
    around = np.sort(np.stack([OUTLINE, np.roll(OUTLINE, -1)], 1), axis=1)
    assert set(count) == {1, 2}
    assert {tuple(edge) for edge in edges[count == 1]} == {tuple(edge) for edge in around}
    corner, after = sound.uv[OUTLINE], np.roll(sound.uv[OUTLINE], -1, 0)
    inside = np.abs((corner[:, 0] * after[:, 1] - corner[:, 1] * after[:, 0]).sum())
    filled = np.abs(doubled_areas(sound.uv[sound.triangles])).sum()
    assert filled == pytest.approx(inside, abs=NEARLY_NOTHING)


def test_layout_and_maps_are_the_same_on_both_sides(sound):
    head = topology.canonical().vertices
    far = np.linalg.norm(head[:, None] * (-1, 1, 1) - head, axis=-1)
    uv = sound.uv[: topology.MESH_COUNT]
    np.testing.assert_allclose(uv[far.argmin(1)], (1, 0) + uv * (-1, 1), atol=1e-5)
    for map_ in (sound.face, sound.skin, sound.albedo):
        np.testing.assert_array_equal(map_, map_[:, ::-1])


def test_maps_are_0_to_1_and_end_with_the_mesh(sound):
    assert 0 < sound.uv.min() < sound.uv.max() < 1
    with using(sound):
        covered = texels().covered[0].numpy()
    for map_ in (sound.face, sound.skin):
        assert map_.min() == 0
        assert 0.9 < map_.max() <= 1
        assert not map_[~covered].any()


def test_the_face_matte_is_1_on_the_nose_and_0_on_the_outline(sound):
    texel = lambda numbers: tuple((sound.uv[numbers] * SIZE).astype(int).T[::-1])  # noqa: E731
    assert (sound.face[texel([1, 4, 5])] > 0.95).all()
    assert (sound.face[texel(OUTLINE)] < 0.05).all()


def test_the_file_is_small_and_says_what_it_learned_from(made, tmp_path):
    save(tmp_path / "atlas.safetensors", *made)
    for file in (SHIPPED, tmp_path / "atlas.safetensors"):
        assert file.stat().st_size < 1e6
        assert b"synthetic" in file.read_bytes()[:4096]
    assert made[1]["people"] == 1
    assert made[1]["frames"] == 4


def test_the_renderer_works_in_the_atlas_of_the_block_and_then_in_the_shipped_one(made):
    shipped, before = atlas(), texels().corner
    with using(made[0]):
        assert atlas() is made[0]
        assert (texels().corner != before).any()
    assert atlas() is shipped
    assert (texels().corner == before).all()


def test_what_is_worked_out_of_an_atlas_is_kept_no_longer_than_the_atlas(made):
    worked_out = []

    @per_atlas
    def known(name):
        worked_out.append(name)
        return getattr(atlas(), name)

    with using(made[0]):
        assert known("skin") is known("skin") is made[0].skin
    assert known("skin") is known("skin") is atlas().skin
    assert known("albedo") is atlas().albedo
    assert worked_out == ["skin", "skin", "albedo"]


def test_what_is_tracked_amiss_of_turned_heads_is_learned():
    random = np.random.default_rng(3)
    landmarks = np.concatenate(
        [tracked(random, somebody(random)[None].repeat(60, 0)) for _ in "ab"]
    )
    made, _ = with_shapes(empty(), landmarks, ["a"] * 60 + ["b"] * 60)
    heads = turned(rotations(random, 50, 0.4))
    truth, found = (np.einsum("np,pki->nki", heads, one.turns) for one in (atlas(), made))
    seen = [(amiss - amiss.mean(0))[:, : topology.MESH_COUNT] for amiss in (truth, found)]
    assert np.abs(seen[1] - seen[0]).mean() < 0.5 * np.abs(seen[0]).mean()


def test_motion_is_learned_of_facesets_and_nothing_else_changes(pair, tmp_path):
    for faceset in (pair.likeness, pair.double):
        shutil.copytree(faceset.folder, tmp_path / faceset.folder.name)
    found, about = learned(tmp_path)
    frames = sum(int((~posed_faces_of(one).hidden).sum()) for one in (pair.likeness, pair.double))
    assert about["motion"] == {"facesets": 2, "frames": frames}
    changed = {
        f.name
        for f in fields(found)
        if not np.array_equal(*(getattr(a, f.name) for a in (found, atlas())))
    }
    assert changed == {"turns"}
    save(tmp_path / "atlas.safetensors", found, about)
    with pytest.raises(FaceError, match="no faceset"):
        learned(tmp_path / pair.double.folder.name)


def test_a_corpus_without_faces_is_named(tmp_path):
    with pytest.raises(FaceError, match=re.escape(str(tmp_path))):
        make(tmp_path)
