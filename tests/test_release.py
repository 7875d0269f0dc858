"""Consent: who, for what, until when."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifemask.nodes.errors import BrokenFileError, LifemaskError, ReleaseError
from lifemask.nodes.release import Release

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
