"""The header of a swapped frame, put together without a picture or a file."""

from importlib.metadata import version

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lifemask.nodes.swap.header import PREFIX, PlacedFace, Provenance
from lifemask.ocio.colour.transform import LINEAR_SRGB, WORKING

MADE = Provenance("8f", WORKING, "ada, ben", "ada.md; ben.md")
values = st.floats(-1e4, 1e4, width=32)
faces = st.lists(
    st.builds(
        PlacedFace,
        st.sampled_from(["p1", "p2", "p3"]),
        st.lists(values, min_size=6, max_size=6).map(lambda v: np.float32(v).reshape(2, 3)),
        st.booleans(),
    ),
    min_size=1,
    max_size=3,
)


@given(faces)
def test_a_header_says_who_was_placed_where_to_the_last_bit(placed):
    header = MADE.header({}, "plate.1001.exr 7", placed)
    rows = header[PREFIX + "matrix"].split("; ")
    read = [np.float32(row.split()).reshape(2, 3) for row in rows]
    np.testing.assert_array_equal(read, [face.matrix for face in placed])
    assert header[PREFIX + "people"].split(", ") == [face.person for face in placed]
    hidden = [face.person for face in placed if face.bridged]
    assert header[PREFIX + "bridged"] == (", ".join(hidden) or "none")


def test_a_frame_without_a_face_says_so():
    header = MADE.header({}, "plate.1001.exr 7", [])
    assert header[PREFIX + "people"] == "none: no face in this frame"
    assert (header[PREFIX + "matrix"], header[PREFIX + "bridged"]) == ("", "none")


@given(st.dictionaries(st.text(min_size=1), st.integers()))
def test_the_plate_s_own_header_passes_through_but_for_its_colour(own):
    labels = {"colorInteropID": "lin_ap1_scene", "chromaticities": (0.0,) * 8}
    plain = {name: value for name, value in own.items() if name not in labels}
    for space in (WORKING, LINEAR_SRGB):
        made = Provenance("", space, "ada", "ada.md")
        header = made.header(plain | {"colorInteropID": "of the plate"}, "mark", [])
        assert plain.items() <= header.items()
        assert header["colorInteropID"] != "of the plate"
        assert header[PREFIX + "colorspace"] == space
        assert (header[PREFIX + "model"], header[PREFIX + "plate"]) == ("none", "mark")
        assert header[PREFIX + "version"] == version("lifemask")
