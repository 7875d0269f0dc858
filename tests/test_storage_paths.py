"""Paths as two machines see the same storage."""

from hypothesis import given
from hypothesis import strategies as st

from lifemask.plugin.hosts.common.storage_paths import PathMap

folders = st.lists(st.text("aé _.#%0d", min_size=1), min_size=1, max_size=3).map("/".join)


@given(rest=folders)
def test_paths_go_there_and_back(rest):
    storage = PathMap([("/jobs", "/mnt/jobs"), ("/jobs/fast", "/ssd"), ("P:\\", "/mnt/p")])
    for here, there in (("/jobs", "/mnt/jobs"), ("/jobs/fast", "/ssd"), ("P:", "/mnt/p")):
        sent = storage.there({"takes": [f"{here}/{rest}"]})
        assert sent == {"takes": [f"{there}/{rest}"]}
        assert storage.here(sent) == {"takes": [f"{here}/{rest}"]}
    assert storage.there(f"p:\\{rest}") == f"/mnt/p/{rest}"
    assert storage.there(f"/jobsite/{rest}") == f"/jobsite/{rest}"


def test_paths_in_sentences_come_back_too():
    storage = PathMap([("\\\\nas\\show", "/mnt/show")])
    told = storage.here("/mnt/show/sh010: no shot; run `x '/mnt/show/a b'`, not /mnt/shows")
    assert told == "//nas/show/sh010: no shot; run `x '//nas/show/a b'`, not /mnt/shows"
    assert storage.there("\\\\NAS\\Show\\sh 010\\é.####.exr") == "/mnt/show/sh 010/é.####.exr"
    assert storage.there({"samples": 4, "on": True, "none": None}) == {
        "samples": 4,
        "on": True,
        "none": None,
    }
