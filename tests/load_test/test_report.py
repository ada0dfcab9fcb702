# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role makes of a result on the control node: the file, the report as a browser shows it, and its end."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.load_test.conftest import REPOSITORY

ODD = "</script><b>HTTP 500</b> & more"


def run(concurrency, repeat, rate, failed=0):
    """A run; its figures are chosen so that each can be told from the others."""
    times = {"p50": 0.25, "p90": 0.5, "p99": 0.75}
    return {
        "concurrency": concurrency,
        "repeat": repeat,
        "started": "2026-11-26T10:00:00Z",
        "requests": concurrency * 10,
        "completed": concurrency * 10 - failed,
        "failed": failed,
        "stopped": 0,
        "errors": [{"text": ODD, "count": failed}] if failed else [],
        "seconds": 4.0,
        "prompt_tokens": 100,
        "output_tokens": int(rate * 4),
        "chunks": 17,
        "tokens_per_second": rate,
        "requests_per_second": 2.5,
        "first_token": times,
        "inter_token": {name: value / 10 for name, value in times.items()},
        "chunk_gap": None,
        "latency": {name: value * 10 for name, value in times.items()},
        "samples": [],
    }


def a_result(factor=1.0, failed=0):
    """Two batch sizes, three runs of each."""
    rates = {1: [50, 51, 52], 8: [300, 320, 340]}
    runs = [
        run(many, index + 1, rate * factor, failed) for many, some in rates.items() for index, rate in enumerate(some)
    ]
    about = {
        "model": "dsr1",
        "shape": "TP 4 x PP 4",
        "engine": "0.7.2+gh200",
        "nodes": 16,
        "price_per_hour": 32.0,
        "url": "http://a/v1",
    }
    asked = {
        "concurrencies": [1, 8],
        "requests": 10,
        "repeats": 3,
        "prompt_tokens": 128,
        "output_tokens": 64,
        "seed": 1,
    }
    return {"format": 1, "made": "2026-11-26T10:00:00Z", "by": "guidellm", "about": about, "asked": asked, "runs": runs}


@pytest.fixture(name="bring")
def bring_a_result(tmp_path):
    """bring(result, **variables): (status, output, the files on the control node), as the role's own tasks bring it."""

    def bring(result, **variables):
        (tmp_path / "node").mkdir(exist_ok=True)
        (tmp_path / "node/result.json").write_text(json.dumps(result), encoding="utf-8")
        role = {"name": "gh200.inference.load_test", "tasks_from": "result"}
        play = {
            "hosts": "localhost",
            "connection": "local",
            "gather_facts": False,
            "tasks": [{"ansible.builtin.import_role": role}],
        }
        (tmp_path / "play.yml").write_text(json.dumps([play]), encoding="utf-8")
        given = {
            "ansible_python_interpreter": sys.executable,
            "__load_test_folder": str(tmp_path / "node"),
            "load_test_output_dir": str(tmp_path / "kept"),
        } | variables
        program = Path(sys.executable).parent / "ansible-playbook"
        command = [program, "-i", "localhost,", tmp_path / "play.yml", "-e", json.dumps(given)]
        environment = os.environ | {"ANSIBLE_NOCOLOR": "1"}
        done = subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False)
        print(done.stdout, done.stderr)
        return done.returncode, done.stdout + done.stderr, sorted((tmp_path / "kept").glob("*"))

    return bring


def test_the_report_shows_what_the_result_says(bring, browse):
    status, output, (report, kept) = bring(a_result())
    assert status == 0, output
    assert (report.name, kept.name) == ("load-20261126T100000Z.html", "load-20261126T100000Z.json")
    assert json.loads(kept.read_text(encoding="utf-8")) == a_result()
    assert "8 at once: 320.0 tokens/s (300.0 to 340.0 in 3 runs)" in output
    seen = browse(f"file://{report}", program="run_report.mjs")
    assert seen["asked"] == [f"file://{report}"] and seen["said"] == [] and not seen["overflows"]
    assert seen["title"] == "Load test of dsr1, 2026-11-26T10:00:00Z"
    assert seen["subtitle"] == "TP 4 x PP 4 · 0.7.2+gh200 · 2026-11-26 10:00:00 UTC"
    # 32 dollars an hour, 320 tokens a second.
    assert [tile[:6] for tile in seen["tiles"]] == ["320tok", "40.0of", "250 ms", "25 msb", "0 of 2", "$27.78"]
    assert seen["table"][1][:5] == ["8", "240", "0", "3,840", "320 ±6%"]
    assert seen["table"][1][5:] == [
        "250 ms",
        "500 ms",
        "750 ms",
        "25 ms",
        "50 ms",
        "75 ms",
        "2.50 s",
        "5.00 s",
        "7.50 s",
    ]
    assert seen["errors"] == "No request failed." and seen["compared"] == []
    assert seen["about"]["nodes"] == "16" and seen["about"]["dollars per hour"] == "32"


def test_an_earlier_test_is_compared_with_the_spread(bring, browse, tmp_path):
    (tmp_path / "earlier.json").write_text(json.dumps(a_result(2.0)), encoding="utf-8")
    status, output, (report, _kept) = bring(
        a_result(), __load_test_earlier=a_result(2.0), load_test_fail_if_slower=True
    )
    assert status == 2
    assert (
        "With 1 request at once, tokens per second is 51, and was 102 in the test of 2026-11-26T10:00:00Z (-50.0%)"
        in output
    )
    seen = browse(f"file://{report}", program="run_report.mjs")
    rows = {(row[0], row[1]): row[2:] for row in seen["compared"]}
    assert rows["8", "tokens per second"] == [
        "640 /s",
        "320 /s",
        "-50.0%",
        "3 / 3",
        "worse, beyond the spread (by chance once in 10)",
    ]
    assert rows["8", "first token, p50"] == ["250 ms", "250 ms", "0.0%", "3 / 3", "within the spread"]
    assert "slower, beyond the spread of the runs" in seen["verdict"]


def test_errors_fail_it_and_what_a_server_says_stays_text(bring, browse):
    status, output, (report, _kept) = bring(a_result(failed=2))
    assert status == 2
    assert "12 of 270 requests failed (4.4%, allowed are 0.0%), 12 of them with: " in output
    seen = browse(f"file://{report}", program="run_report.mjs")
    assert seen["said"] == []
    assert f"6, with 8 at once: {ODD}" in seen["errors"] and ODD in seen["verdict"]
