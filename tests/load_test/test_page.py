# SPDX-License-Identifier: GPL-3.0-or-later
"""load_test.html in a real Chromium, against an endpoint that wrote down the truth."""

from __future__ import annotations

import csv
import functools
import html
import http.server
import io
import re
import threading
from collections import Counter

import pytest

from tests.load_test.conftest import FILES, PAGE, node
from tests.load_test.truth import FAULTS, KEY, SHAPES, Shape, Truth

PAGES = ["load_test.html", "load_report.html"]
ADDRESS = f"file://{FILES}/load_test.html"
SAID = {
    "refused": "HTTP 500: the engine is dead",
    "error": "error within the stream: a rank is gone",
    "hangs up": "the connection broke in the middle of the answer",
}


def of(truth, name=ADDRESS):
    """The page's address, as a tunnel would hand it over."""
    return f"{name}#api={truth.url}/v1"


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Files, without a line for each."""

    def log_message(self, *_args):
        pass


@pytest.fixture(name="served")
def page_over_http():
    """Address of a server with the page."""
    handler = functools.partial(Quiet, directory=FILES)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield f"http://localhost:{server.server_port}/load_test.html"
        server.shutdown()


@pytest.mark.parametrize("name", PAGES)
def test_the_committed_page_is_what_its_sources_build(name, tmp_path):
    node(["build.mjs", str(tmp_path)])
    assert (tmp_path / name).read_bytes() == (FILES / name).read_bytes(), "run `make page`"


@pytest.mark.parametrize("name", PAGES)
def test_it_is_one_file_that_loads_nothing(name):
    text = (FILES / name).read_text(encoding="utf-8")
    markup = re.sub(r"<script type=.*?</script>|<pre.*?</pre>", "", text, flags=re.DOTALL)
    assert not re.search(r"<(link|img|iframe|object|embed)\b|\bsrc=|\bhref=|@import|url\(", markup)
    assert "default-src 'none'" in markup
    # The only address is the endpoint's default.
    assert set(re.findall(r"https?://[^\s\"'`<)]*", text)) <= {"http://localhost:8000/v1"}


@pytest.mark.parametrize("name", PAGES)
def test_the_licences_of_what_it_contains_stand_in_it(name):
    text = html.unescape((FILES / name).read_text(encoding="utf-8"))
    for library in ["uplot"] + (["eventsource-parser"] if name == "load_test.html" else []):
        assert re.search(rf"^{library} \d", text, re.MULTILINE)
        assert (PAGE / f"node_modules/{library}/LICENSE").read_text(encoding="utf-8").strip()[:60] in text


def test_the_lock_names_no_registry():
    assert "http" not in re.sub(r'"url": "https://[^"]*"', "", (PAGE / "package-lock.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("how", ["from a file", "over http"])
def test_the_figures_are_the_truth(browse, served, how):
    page = ADDRESS if how == "from a file" else served
    with Truth(SHAPES + FAULTS) as truth:
        seen = browse(of(truth, page), fields={"sizes": "1 4, 24", "rounds": 4, "tokens": 30, "words": 9})
        assert truth.idle()
    runs = seen["result"]["runs"]
    assert [run["concurrency"] for run in runs] == [1, 4, 24]
    assert sum(run["requests"] for run in runs) == len(truth.counted()) == 29 * 4
    assert sum(run["completed"] for run in runs) == len(truth.good())
    assert sum(run["output_tokens"] for run in runs) == sum(answer.shape.tokens for answer in truth.good())
    assert sum(run["chunks"] for run in runs) == sum(answer.shape.chunks for answer in truth.good())
    assert sum(run["prompt_tokens"] for run in runs) == sum(answer.prompt_tokens for answer in truth.good())
    # Each request: its tokens in its chunks, one by one.
    samples = [sample for run in runs for sample in run["samples"]]
    assert Counter((one["tokens"], one["chunks"]) for one in samples if not one.get("error")) == Counter(
        (answer.shape.tokens, answer.shape.chunks) for answer in truth.good()
    )
    wrong = Counter(SAID[answer.outcome] for answer in truth.counted() if answer.outcome != "whole")
    told = Counter()
    for error in (error for run in runs for error in run["errors"]):
        told[error["text"]] += error["count"]
    assert told == wrong
    assert f"{sum(wrong.values())} requests failed" in seen["status"]
    # What people read is what is exported.
    for run, cells in zip(runs, seen["table"], strict=True):
        shown = [run["concurrency"], run["completed"], run["failed"], run["output_tokens"]]
        assert [cell.replace(",", "") for cell in cells[:4]] == [str(value) for value in shown]
    rows = list(csv.DictReader(io.StringIO(seen["csv"])))
    assert [int(row["output_tokens"]) for row in rows] == [run["output_tokens"] for run in runs]
    assert seen["said"] == [text for text in seen["said"] if "500" in text or "ERR_" in text]
    assert not seen["overflows"] and not seen["warning"]


def test_times_are_of_chunks_with_text_and_never_before_the_server_sent_them(browse):
    # One request at a time, so that each is known by its place.
    with Truth(SHAPES, pause=0.02) as truth:
        seen = browse(of(truth), fields={"sizes": "1", "rounds": 5, "tokens": 30, "words": 9})
    samples = seen["result"]["runs"][0]["samples"]
    for sample, answer in zip(samples, truth.counted(), strict=True):
        assert len(sample["gaps"]) == answer.shape.chunks - 1
        # From the request's arrival to the first text: it cannot be seen sooner than that after it was sent.
        assert sample["first"] - sample["start"] >= answer.texts[0] - answer.came
        assert sample["end"] - sample["start"] >= answer.texts[-1] - answer.came
        assert abs(sum(sample["gaps"]) - (sample["last"] - sample["first"])) < 1e-6


def test_every_stream_is_at_the_server_at_once(browse):
    # A browser opens six connections to one name; the server says nothing before it has all 40.
    with Truth((Shape(5, 2),), together=40) as truth:
        seen = browse(of(truth), fields={"sizes": "40", "rounds": 1, "tokens": 9, "words": 9})
    assert truth.most == 40
    assert seen["result"]["runs"][0]["completed"] == 40


def test_the_request_asks_for_what_stands_in_the_form(browse):
    with Truth() as truth:
        browse(of(truth), fields={"sizes": "3", "rounds": 2, "tokens": 77, "words": 25, "seed": 5, "temperature": 0})
    requests = [answer.request for answer in truth.counted()]
    assert {(one["model"], one["max_tokens"], one["temperature"], one["ignore_eos"]) for one in requests} == {
        ("truth", 77, 0, True)
    }
    assert all(one["stream_options"] == {"include_usage": True} for one in requests)
    prompts = [one["messages"][0]["content"] for one in requests]
    assert len(set(prompts)) == 6
    assert {len(prompt.partition(": ")[2].split()) for prompt in prompts} == {25}


def test_stop_ends_every_request(browse):
    with Truth((Shape(4000, 4000),), pause=0.01) as truth:
        seen = browse(of(truth), fields={"sizes": "8 16", "rounds": 3, "tokens": 4000}, stop_after_text=True)
        assert truth.idle()
    assert seen["status"] == "Stopped."
    assert {answer.outcome for answer in truth.counted()} == {"the client went"}
    assert len(truth.counted()) == 8
    (run,) = seen["result"]["runs"]
    assert (run["stopped"], run["completed"], run["failed"], run["output_tokens"]) == (8, 0, 0, 0)


def test_a_wrong_key_is_told(browse):
    with Truth() as truth:
        seen = browse(of(truth), key="another", refused=True)
    assert seen["status"] == f"The models of {truth.url}/v1 could not be listed: HTTP 401: Unauthorized"
    assert truth.refused and not truth.truth


def test_nobody_there_is_told(browse):
    seen = browse(f"{ADDRESS}#api=http://localhost:9/v1", refused=True)
    assert "no answer came: is the tunnel up, and the address right?" in seen["status"]


def test_an_answer_without_usage_is_an_error_and_no_count(browse):
    with Truth((Shape(8, 3, fails="no usage"),)) as truth:
        seen = browse(of(truth), fields={"sizes": "2", "rounds": 1})
    (run,) = seen["result"]["runs"]
    assert run["errors"] == [{"text": "the answer has no usage, so its tokens are not known", "count": 2}]
    assert run["output_tokens"] == 0


def test_the_key_is_nowhere_but_in_the_requests(browse):
    with Truth() as truth:
        seen = browse(of(truth), fields={"sizes": "2", "rounds": 1})
    assert seen["result"]["runs"][0]["completed"] == 2
    assert KEY not in str(seen)
    # Nobody else was asked anything.
    mine = re.compile(rf"(file://.*|http://(s\d+\.)?localhost:{truth.server_port}/v1/.*|blob:.*)")
    assert [url for url in seen["asked"] if not mine.fullmatch(url)] == []


@pytest.mark.parametrize("window", [{"width": 390}, {"width": 820, "scheme": "dark"}])
def test_nothing_is_wider_than_the_window(browse, window):
    with Truth() as truth:
        seen = browse(of(truth), window=window, fields={"sizes": "1 8", "rounds": 2})
    assert not seen["overflows"]


def test_a_batch_size_that_is_none_is_told(browse):
    with Truth() as truth:
        seen = browse(of(truth), fields={"sizes": "1 zwei"}, started_badly=True)
    assert seen["status"] == 'Batch sizes are numbers from 1 to 9999 with blanks between; "zwei" is none.'
