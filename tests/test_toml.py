"""A save changes its own values in a TOML file; every other byte stays a person's."""

import re
import tomllib
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lifemask.nodes.errors import BrokenFileError
from lifemask.nodes.shot.folder import Shot
from lifemask.nodes.shot.toml import edited

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
VALUE = st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | TEXT
TABLE = st.recursive(
    VALUE | st.dates() | st.lists(TEXT), lambda inner: st.dictionaries(TEXT, inner), max_leaves=6
)

SPACE = st.sampled_from(["", " ", "\t", "  "])
COMMENT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=6).map("#{}".format)
END = st.one_of(st.just(""), COMMENT).flatmap(lambda text: SPACE.map(lambda gap: f"{gap}{text}\n"))
LINES = st.lists(END, max_size=2).map("".join)
"""Blank lines and comments, as they may stand between any two keys."""

SHOT = """\
# Sequence SH, second unit.
project = ''  # until legal calls back
name = "sh010"

performers = [
    # only people under contract
    'cy',  # stunt
]

[plate]
colorspace = "ACEScg"  # checked with the DIT
path = '../plates/p.####.exr'
fps = 24
frames = "1001-1_040"

# Steadier, for the long lens.
[knobs.track]
samples = 0x10
"""
SIGNED = SHOT.replace("''", '"demo"').replace("# stunt\n", '# stunt\n    "ada",\n')


@st.composite
def arrays(draw):
    """An array of names as anybody may write it, commas and comments anywhere."""
    gap = st.one_of(SPACE, LINES.map("\n{}".format))
    names = draw(st.lists(st.sampled_from(["cy", "di", "ed"]), max_size=3, unique=True))
    quoted = [draw(st.sampled_from(["'{}'", '"{}"', '"""{}"""'])).format(name) for name in names]
    inner = draw(gap) + f"{draw(gap)},{draw(gap)}".join(quoted)
    return f"[{inner}{draw(gap)}{draw(st.sampled_from([',', ''])) if names else ''}{draw(gap)}]"


@st.composite
def shots(draw):
    """A shot's file in pieces: around the project, around the performers, and after."""
    plate = draw(st.permutations(['path = "p"', "frames = '1-9'", "colorspace='x'", "fps = 2_4"]))
    head = f'{draw(LINES)}name = "sh010"{draw(END)}'
    first, second = f"{head}project = ", f"{draw(END)}{draw(LINES)} performers={draw(SPACE)}"
    rest = "".join(f"{line}{draw(END)}{draw(LINES)}" for line in ["[plate]", *plate])
    knobs = draw(st.sampled_from(["", "[knobs.track]\nsamples = 0x10 # more", "[knobs]\n"]))
    return first, second, draw(arrays()), f"{draw(END)}{draw(LINES)}{rest}{knobs}"


@given(st.dictionaries(TEXT, TABLE, max_size=4))
def test_what_is_written_anew_reads_the_same(table):
    assert tomllib.loads(edited(None, table).decode()) == table


def saved(folder: Path, content: bytes) -> Shot:
    folder.mkdir(exist_ok=True)
    (folder / "shot.toml").write_bytes(content)
    return Shot.load(folder)


@given(shots(), st.sampled_from(["\n", "\r\n"]), st.sampled_from([b"", b"\xef\xbb\xbf"]))
def test_a_save_touches_nothing_but_what_it_changes(tmp_path_factory, pieces, ending, mark):
    folder = tmp_path_factory.mktemp("shots") / "sh010"
    first, second, performers, rest = (piece.replace("\n", ending).encode() for piece in pieces)
    content = mark + first + b"''" + second + performers + rest
    shot = saved(folder, content)
    shot.save()
    assert shot.file.read_bytes() == content
    assert shot.with_performer("ada", "demo").performers == (*shot.performers, "ada")
    now = shot.file.read_bytes()
    assert Shot.load(folder) == replace(shot, performers=(*shot.performers, "ada"), project="demo")
    assert now.startswith(mark + first + b'"demo"' + second + b"[")
    assert now.endswith(b"]" + rest)
    comments = re.compile(rb"#[^\r\n]*")
    assert comments.findall(now) == comments.findall(content)
    assert ending == "\n" or now.count(b"\n") == now.count(b"\r\n")


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_a_performer_stands_where_a_person_would_write_her(tmp_path, ending):
    shot = saved(tmp_path / "sh010", SHOT.replace("\n", ending).encode("utf-8-sig"))
    shot.with_performer("ada", "demo")
    assert shot.file.read_bytes() == SIGNED.replace("\n", ending).encode("utf-8-sig")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("[]", '["ada"]'),
        ("['cy']", "['cy', \"ada\"]"),
        ("[ 'cy', ]", "[ 'cy', \"ada\" ]"),
        ("[\n  'cy'\n]", "[\n  'cy',\n  \"ada\"\n]"),
        ("[\n  'cy' # x\n]", "[\n  'cy' # x\n  , \"ada\"\n]"),
        ("[\n  'cy'\n, 'di'\n]", "[\n  'cy'\n, 'di',\n\"ada\"\n]"),
        ("[\n  # none\n]", '[\n  # none\n  "ada",\n]'),
    ],
)
def test_a_list_grows_in_its_own_layout(tmp_path, before, after):
    file = tmp_path / "a.toml"
    file.write_text(f"names = {before}")
    names = [*tomllib.loads(f"_ = {before}")["_"], "ada"]
    assert edited(file, {"names": names}).decode() == f"names = {after}"


def test_values_go_where_their_key_is(tmp_path):
    file = tmp_path / "a.toml"
    file.write_text("a.b = 1 # x\n[c] # y\nd = {e = 2} # z\n")
    values = {"a": {"b": 3}, "c": {"d": {"e": 4}, "g": date(2030, 1, 2)}}
    assert edited(file, values).decode() == (
        "a.b = 3 # x\n[c] # y\nd = {e = 4} # z\ng = 2030-01-02\n"
    )


@example("a = 1\na = 2")
@given(st.text(st.sampled_from("ab=[]{}'\"#.,\n1 \r"), max_size=12))
def test_what_is_no_toml_is_refused_and_all_else_kept(tmp_path_factory, text):
    file = tmp_path_factory.getbasetemp() / "any.toml"
    file.write_bytes(text.encode())
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        with pytest.raises(BrokenFileError, match=r"any\.toml: cannot be read"):
            edited(file, {"a": 1})
    else:
        assert edited(file, table).decode() == text
