# SPDX-License-Identifier: GPL-3.0-or-later
"""The hub's counts are what went out, and its faults are what was asked for."""

from __future__ import annotations

import socket
import time
from urllib.parse import urlsplit

import pytest
import requests

SIZE = 40_000_000
PATH = "/someone/model/resolve/main/weights.safetensors"


@pytest.fixture(name="hub")
def address(serving, tmp_path):
    """A hub with one file that no socket's buffer holds."""
    repository = tmp_path / "repos" / "someone" / "model"
    repository.mkdir(parents=True)
    with (repository / "weights.safetensors").open("wb") as file:
        file.truncate(SIZE)
    with serving(tmp_path) as url:
        yield url


def counts(hub):
    return requests.get(f"{hub}/lab/counts", timeout=10).json().get(PATH, {})


def faults(hub, *wanted):
    requests.put(f"{hub}/lab/faults", json=wanted, timeout=10).raise_for_status()


def test_whole_files_and_parts_are_counted_by_client(hub):
    requests.get(hub + PATH, timeout=30)
    requests.get(hub + PATH, headers={"Range": "bytes=100-199"}, timeout=10)
    requests.head(hub + PATH, timeout=10)
    assert counts(hub) == {"127.0.0.1": SIZE + 100}
    requests.delete(f"{hub}/lab/counts", timeout=10)
    assert counts(hub) == {}


def test_of_an_answer_that_is_broken_off_counts_what_was_sent(hub):
    where = urlsplit(hub)
    with socket.create_connection((where.hostname, where.port)) as client:
        client.sendall(f"GET {PATH} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        got = 0
        while got < 1_000_000:
            got += len(client.recv(65536))
    deadline, sent = time.monotonic() + 10, -1
    while sent != counts(hub)["127.0.0.1"] and time.monotonic() < deadline:
        sent = counts(hub)["127.0.0.1"]
        time.sleep(0.2)
    # What the buffers of both ends hold was sent, and not read.
    assert got - 1000 <= sent < SIZE / 2


def test_an_answer_on_demand_comes_as_often_as_was_asked(hub):
    faults(hub, {"match": "resolve", "status": 429, "retry_after": 3, "times": 2})
    answers = [requests.head(hub + PATH, timeout=10) for dummy in range(3)]
    assert [answer.status_code for answer in answers] == [429, 429, 200]
    assert answers[0].headers["Retry-After"] == "3"
    faults(hub, {"match": "resolve", "status": 503})
    faults(hub)
    assert requests.head(hub + PATH, timeout=10).ok


def test_a_connection_that_drops_in_the_middle(hub):
    faults(hub, {"match": "resolve", "drop_after": 1_000_000, "times": 1})
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        requests.get(hub + PATH, timeout=10)
    assert counts(hub) == {"127.0.0.1": 1_000_000}


def test_an_answer_under_other_faults_than_now_is_broken_off(hub):
    faults(hub, {"match": "resolve", "rate": 10_000_000})
    with requests.get(hub + PATH, stream=True, timeout=10) as answer:
        next(answer.iter_content(65536))
        faults(hub, {"match": "nothing", "status": 403})
        with pytest.raises(requests.exceptions.ChunkedEncodingError):
            for dummy in answer.iter_content(65536):
                pass


def test_a_slow_hub(hub):
    faults(hub, {"match": "resolve", "rate": 1_000_000})
    with requests.get(hub + PATH, stream=True, timeout=10) as answer:
        next(answer.iter_content(65536))
        time.sleep(0.5)
        assert counts(hub)["127.0.0.1"] < SIZE / 10


@pytest.mark.parametrize("wanted", ["x", [{"status": 503}], [{"match": "a", "other": 1}]])
def test_faults_that_make_no_sense_are_refused(hub, wanted):
    assert requests.put(f"{hub}/lab/faults", json=wanted, timeout=10).status_code == 400
    assert requests.get(f"{hub}/lab/other", timeout=10).status_code == 404
