"""Consent: who, for what, until when."""

import os
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifemask.nodes.errors import BrokenFileError, LifemaskError, ReleaseError, WriteError
from lifemask.nodes.shot.release import Release

TODAY = date(2026, 5, 4)


@pytest.fixture
def folder(tmp_path):
    document = tmp_path / "Signed.PDF"
    document.write_bytes(b"I agree.")
    add(tmp_path / "releases", "ada", "demo", date(2026, 12, 31), document, TODAY)
    return tmp_path / "releases"


def add(*given):
    with Release.adding(*given) as release:
        return release


def refused(release, project, day):
    with pytest.raises(ReleaseError) as error:
        release.check(project, day)
    return str(error.value)


def test_what_is_added_is_there(folder):
    release = Release.load(folder, "ada")
    assert (release.performer, release.project) == ("ada", "demo")
    assert (folder / release.document).read_bytes() == b"I agree."
    release.check("demo", date(2026, 12, 31))


def test_missing_expired_and_other_project_are_three_sentences(folder):
    with pytest.raises(ReleaseError) as missing:
        Release.load(folder, "ben")
    release = Release.load(folder, "ada")
    expired = refused(release, "demo", date(2027, 1, 1))
    other = refused(release, "sequel", TODAY)
    assert "2026-12-31" in expired
    assert "'demo'" in other
    assert "'sequel'" in other
    assert len({str(missing.value), expired, other}) == 3


def test_a_shot_without_a_project_is_not_covered(folder):
    refused(Release.load(folder, "ada"), "", TODAY)


@pytest.mark.parametrize("project", ["", " "])
def test_nobody_consents_to_a_project_without_a_name(folder, project):
    before = {file.name: file.read_bytes() for file in folder.iterdir()}
    with pytest.raises(ReleaseError, match="project: is empty"):
        add(folder, "ada", project, date(2026, 12, 31), folder / "ada.pdf", TODAY)
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == before


def test_a_changed_document_is_refused(folder):
    (folder / "ada.pdf").write_bytes(b"I agree to everything.")
    with pytest.raises(ReleaseError, match=r"ada\.pdf"):
        Release.load(folder, "ada")


def test_a_lost_document_is_refused(folder):
    (folder / "ada.pdf").unlink()
    with pytest.raises(ReleaseError, match=r"ada\.pdf"):
        Release.load(folder, "ada")


def test_the_record_of_one_is_not_the_record_of_another(folder):
    (folder / "ada.toml").rename(folder / "ben.toml")
    with pytest.raises(ReleaseError, match="ada"):
        Release.load(folder, "ben")


def test_nothing_is_recorded_when_it_is_over_or_has_no_document(tmp_path):
    document = tmp_path / "a.pdf"
    with pytest.raises(BrokenFileError, match=r"a\.pdf"):
        add(tmp_path / "releases", "ada", "demo", date(2030, 1, 1), document, TODAY)
    document.touch()
    with pytest.raises(ReleaseError, match="past"):
        add(tmp_path / "releases", "ada", "demo", date(2020, 1, 1), document, TODAY)
    assert not (tmp_path / "releases").exists()


def test_nothing_is_recorded_when_what_belongs_to_it_fails(folder, tmp_path):
    before = {file.name: file.read_bytes() for file in folder.iterdir()}
    document = tmp_path / "longer.pdf"
    document.write_bytes(b"I agree for longer.")
    for who in ("ada", "ben"):
        given = (folder, who, "demo", date(2030, 1, 1), document, TODAY)
        with pytest.raises(ZeroDivisionError), Release.adding(*given) as release:
            assert release.performer == who
            raise ZeroDivisionError
        assert {file.name: file.read_bytes() for file in folder.iterdir()} == before


def contents(folder):
    return {file.name: file.read_bytes() for file in folder.iterdir()}


@pytest.mark.parametrize(
    "name",
    ["ada.toml", "c.TOML", "signed", ".toml", "a.p df", "a.p\udcff", "a." + "q" * 99, "a.part"],
)
def test_a_document_of_any_name_takes_the_place_of_the_one_before(folder, tmp_path, name):
    document = tmp_path / name
    for number, who in enumerate(["ada", "ada", "ada.toml", "ada.pdf", "ada"]):
        document.write_bytes(b"I agree %d." % number)
        add(folder, who, "demo", date(2030, 1, 1), document, TODAY)
    said = {"ada": b"I agree 4.", "ada.toml": b"I agree 2.", "ada.pdf": b"I agree 3."}
    for who, text in said.items():
        assert (folder / Release.load(folder, who).document).read_bytes() == text
    assert len(list(folder.iterdir())) == 2 * len(said)


@pytest.mark.parametrize("fails", ["ada.pdf", "ada-2.txt", "ada.toml"])
def test_the_release_before_stays_whole_whatever_fails(folder, tmp_path, monkeypatch, fails):
    before, rename = contents(folder), Path.replace

    def full(part, path):
        if path.name == fails:
            raise OSError(28, "No space left on device")
        return rename(part, path)

    monkeypatch.setattr(Path, "replace", full)
    document = tmp_path / ("new.txt" if fails == "ada-2.txt" else "new.pdf")
    document.write_bytes(b"I agree for longer.")
    if fails == "ada-2.txt":
        (folder / "ada.txt").write_text("an artist's own")
        before = contents(folder)
    if fails == "ada.pdf":
        (folder / "ada.pdf").rename(folder / "ada-2.pdf")
        record = (folder / "ada.toml").read_text().replace("ada.pdf", "ada-2.pdf")
        (folder / "ada.toml").write_text(record)
        before = contents(folder)
    with pytest.raises(WriteError, match=fails):
        add(folder, "ada", "demo", date(2030, 1, 1), document, TODAY)
    assert contents(folder) == before
    Release.load(folder, "ada").check("demo", TODAY)


def test_documents_that_are_in_the_folder_already(folder):
    """The document is renewed as it is; a record is none, and what others named stays."""
    given = (folder, "ada", "demo", date(2030, 1, 1))
    add(*given, folder / "ada.pdf", TODAY)
    release = Release.load(folder, "ada")
    assert release.expires == date(2030, 1, 1)
    with pytest.raises(BrokenFileError, match="is the record of a release"):
        add(*given, folder / "ada.toml", TODAY)
    shared = (folder / "ada.toml").read_text().replace('"ada"', '"ben"')
    (folder / "ben.toml").write_text(shared)
    add(*given, folder / release.document, TODAY)
    for who in ("ada", "ben"):
        Release.load(folder, who).check("demo", TODAY)


def test_a_person_s_comments_stay_when_a_release_is_renewed(folder):
    record = folder / "ada.toml"
    before = f"# Signed in the office.\n{record.read_text()}# Ask again in spring.\n"
    record.write_text(before)
    add(folder, "ada", "demo", date(2031, 3, 4), folder / "ada.pdf", TODAY)
    release = Release.load(folder, "ada")
    renewed = before.replace("2026-12-31", "2031-03-04").replace('"ada.pdf"', '"ada-2.pdf"')
    assert record.read_text() == renewed
    assert release.document == "ada-2.pdf"


@pytest.mark.parametrize("broken", ["expires", "expires = 2026-12-31\nnote = 1\n#", "#"])
def test_a_record_that_is_broken_is_replaced_whole(folder, broken):
    record = folder / "ada.toml"
    record.write_text(record.read_text().replace("expires =", broken))
    with pytest.raises(BrokenFileError):
        Release.load(folder, "ada")
    add(folder, "ada", "demo", date(2026, 12, 31), folder / "ada.pdf", TODAY)
    assert "note" not in record.read_text()
    Release.load(folder, "ada").check("demo", TODAY)


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
def test_what_is_no_document_is_not_waited_for(folder, tmp_path, make):
    before = contents(folder)
    make(tmp_path / "a")
    with pytest.raises(BrokenFileError, match="a: is not a file"):
        add(folder, "ada", "demo", date(2030, 1, 1), tmp_path / "a", TODAY)
    assert contents(folder) == before


@pytest.mark.parametrize("name", ["", "../x.pdf", "/etc/passwd", ".."])
def test_a_record_that_names_no_file_beside_it_is_refused(folder, name):
    record = folder / "ada.toml"
    record.write_text(record.read_text().replace("ada.pdf", name))
    with pytest.raises(LifemaskError, match="document"):
        Release.load(folder, "ada")


@given(data=st.data())
def test_no_mutation_of_a_record_is_more_than_refused(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("releases")
    document = folder / "in.pdf"
    document.write_bytes(b"I agree.")
    add(folder, "ada", "demo", date(2026, 12, 31), document, TODAY)
    record = bytearray((folder / "ada.toml").read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        record[data.draw(st.integers(0, len(record) - 1))] = data.draw(st.integers(0, 255))
    (folder / "ada.toml").write_bytes(record)
    try:
        Release.load(folder, "ada").check("demo", TODAY)
    except LifemaskError as error:
        assert "releases" in str(error) or "ada" in str(error)
