# SPDX-License-Identifier: GPL-3.0-or-later
"""The wheels that are named are fetched and held to their checksums: the job's own script, run."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from .test_scripts import ROLE, script

CONTENT = {
    "/v0/vllm-0.7.2%2Bcu124-py3-none-any.whl": b"the engine",
    "/v0/triton-3.1.0-py3-none-any.whl": b"the compiler",
}


def sha256(content):
    return hashlib.sha256(content).hexdigest()


@pytest.fixture(name="job")
def the_job(serve, tmp_path):
    """job(**sha256 by the beginning of a name): (result, folder of the wheels), and what was asked for in job.asked."""

    def answer(method, path, headers, body):
        job.asked.append(path)
        return (200, CONTENT[path]) if path in CONTENT else (404, b"")

    site = serve(answer)

    def job(**others):
        wheels = [
            {
                "url": site + path,
                "sha256": others.get(path.rsplit("/", maxsplit=1)[-1].split("-", maxsplit=1)[0], sha256(content)),
            }
            for path, content in CONTENT.items()
        ]
        # As on a node, where the path of the programs has no blank.
        programs = tmp_path / "programs"
        if not programs.exists():
            programs.symlink_to(ROLE / "files")
        text = script(
            "given-wheel",
            vllm_build_lane="wheels",
            vllm_build_wheels=wheels,
            vllm_build_workdir=str(tmp_path / "work"),
            vllm_build_wheelhouse=str(tmp_path / "wheelhouse"),
            __vllm_build_programs=str(programs),
        )
        environment = os.environ | {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin"}
        command = ["bash", "-euo", "pipefail", "-c", "sleep() { :; }\n" + text]
        done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
        return done, next(iter((tmp_path / "wheelhouse").glob("given-0.7.2-*")), None)

    job.asked = []
    return job


def test_they_are_stored_with_a_manifest_and_their_checksums(job):
    done, folder = job()
    assert done.returncode == 0, done.stderr
    assert [line for line in done.stdout.splitlines() if line.startswith("Fetching")] == [
        "Fetching vllm-0.7.2+cu124-py3-none-any.whl",
        "Fetching triton-3.1.0-py3-none-any.whl",
    ]
    assert (folder / "vllm-0.7.2+cu124-py3-none-any.whl").read_bytes() == b"the engine"
    sources = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["sources"]
    assert len(sources) == 2 and sources[0].endswith(f"sha256:{sha256(b'the engine')}")
    assert subprocess.run(["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=folder, check=False).returncode == 0


def test_another_checksum_is_one_sentence_and_the_right_ones_are_not_fetched_again(job):
    done, folder = job(triton="0" * 64)
    assert done.returncode != 0 and folder is None
    (sentence,) = done.stderr.splitlines()
    assert f"has the checksum {sha256(b'the compiler')}, but vllm_build_wheels says {'0' * 64}" in sentence
    # The name of the folder follows from the checksums, and so does the one of the work.
    job.asked.clear()
    assert job(triton="0" * 64)[0].returncode != 0
    assert job.asked == ["/v0/triton-3.1.0-py3-none-any.whl"]
