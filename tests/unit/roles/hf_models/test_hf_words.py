# SPDX-License-Identifier: GPL-3.0-or-later
"""What is said: of errors of the hub, of progress, by --check."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest


def raised(hub, error):
    with hub._told("own/model", "c1", "a"):
        raise error


def named(name, text="", response=None):
    error = type(name, (Exception,), {})(text)
    error.response = response
    return error


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (named("RepositoryNotFoundError", "404\nlong"), "the hub does not know this model"),
        (named("GatedRepoError"), "access to this model must be granted first"),
        (named("RevisionNotFoundError"), "the model has no such revision"),
        (named("HfHubHTTPError", "x", SimpleNamespace(status_code=403)), "it answered 403; check HF_TOKEN"),
        (named("HfHubHTTPError", "x", SimpleNamespace(status_code=404)), "it answered 404; check the address"),
        (OSError(28, "No space left on device"), "No space left on device"),
    ],
)
def test_what_another_try_does_not_mend_is_one_sentence(part, monkeypatch, error, said):
    monkeypatch.delenv("HF_ENDPOINT", raising=False)
    with pytest.raises(part("words").Failure) as caught:
        raised(part("hub"), error)
    text = str(caught.value)
    assert text.startswith("Fetching a of own/model at c1 from the hub failed: ") and said in text
    assert text.endswith(".") and "\n" not in text


def test_the_reason_behind_an_error_counts(part):
    outer = named("LocalEntryNotFoundError", "cannot find")
    outer.__cause__ = ConnectionError("refused by the hub")
    with pytest.raises(part("hub").Again, match=r"ConnectionError: refused by the hub$"):
        raised(part("hub"), outer)


@pytest.mark.parametrize(("header", "pause"), [({"Retry-After": "7"}, 7), ({"Retry-After": "9999"}, 120), ({}, None)])
def test_a_busy_answer_says_when_to_come_again(part, header, pause):
    hub = part("hub")
    hub.refuse(SimpleNamespace(status_code=200, headers={}))
    with pytest.raises(hub.Again) as first:
        hub.refuse(SimpleNamespace(status_code=429, headers=header))
    with pytest.raises(hub.Again) as caught:
        raised(hub, first.value)
    assert caught.value.pause == pause and str(caught.value).endswith("failed: it answered 429")


def test_pauses_double_and_the_hubs_own_word_goes_before(part):
    hub = part("hub")
    pace, plain = hub.Pace(2), hub.Again("x")
    assert pace.may(0) and pace.failed(0, plain) == 2
    assert not pace.may(1) and pace.failed(1, plain) == 0  # the same failure, of another file
    assert pace.may(2) and pace.failed(2, plain) == 4
    assert pace.failed(3, hub.Again("x", 60)) == 60 and not pace.may(62) and pace.may(63)
    pace.went_well()
    assert pace.failed(100, plain) == 2


def test_the_listing_knows_large_files_from_small_ones_and_does_not_leave_the_folder(part):
    def info(name):
        large = SimpleNamespace(rfilename=name, size=7, lfs=SimpleNamespace(sha256="5a"), blob_id="b1")
        return SimpleNamespace(siblings=[large, SimpleNamespace(rfilename="b", size=None, lfs=None, blob_id="b2")])

    assert part("hub").entries(info("a..b")) == {
        "a..b": {"size": 7, "sha256": "5a", "git": "b1"},
        "b": {"size": 0, "sha256": None, "git": "b2"},
    }
    for name in ("../a", "a/../../b", "/etc/passwd"):
        with pytest.raises(part("words").Failure, match="would lie outside"):
            part("hub").entries(info(name))


def test_progress_has_rate_and_time_left(part, tmp_path, monkeypatch):
    monkeypatch.setenv("GH200_PROGRESS", str(tmp_path / "progress"))
    progress = part("progress").Progress("Fetching x")
    progress.show(100, 1000, 10)
    progress.show(150, 1000, 11)  # too early to be said
    progress.show(400, 1000, 20)
    assert json.loads((tmp_path / "progress").read_text(encoding="utf-8")) == {
        "what": "Fetching x",
        "done": 400,
        "total": 1000,
        "unit": "bytes",
        "rate": 30,
        "seconds_left": 20,
    }


def test_progress_is_a_line_where_no_file_is_named(part, monkeypatch, capsys):
    monkeypatch.delenv("GH200_PROGRESS", raising=False)
    progress = part("progress").Progress("Fetching x")
    progress.show(0, 4 * 2**30, 10)
    progress.show(2**30, 4 * 2**30, 20)
    assert "Fetching x: 1.00 of 4.00 GiB, 107 MB/s, 00:00:30 left" in capsys.readouterr().out


@pytest.mark.parametrize(("layers", "status"), [(None, 0), ([0, 0], 1)])
def test_check_tells_by_its_status_and_in_a_line(part, model, capsys, layers, status):
    folder = model(layers).folder
    text = json.dumps([{"repository": "own/model", "revision": "c" * 40, "path": str(folder), "layers": layers}])
    main = part("__main__").main
    assert main([text, "--check", "--address=10.0.0.1"]) == status
    assert json.loads(capsys.readouterr().out) == {"address": "10.0.0.1", "complete": not status, "held": 5}
    assert main([text, "--check", "--no-prune"]) == 0
