# SPDX-License-Identifier: GPL-3.0-or-later
"""Node's packages as page/package-lock.json has them, a browser, and the load generator's environment."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.load_test.truth import KEY

REPOSITORY = Path(__file__).resolve().parents[2]
PAGE = REPOSITORY / "page"
FILES = REPOSITORY / "roles/load_test/files"


def node(program, given=None, folder=PAGE):
    """What a program of page/ printed, as JSON; what it is given, a key perhaps, comes by its standard input."""
    done = subprocess.run(
        ["node", *program],
        cwd=folder,
        input=json.dumps(given),
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout) if done.stdout else None


@pytest.fixture(name="browse", scope="session")
def a_browser():
    """browse(page, **more): what run_page.mjs saw of load_test.html or load_report.html."""

    def browse(page, program="run_page.mjs", **more):
        return node([f"test/{program}"], {"page": page, "key": KEY} | more)

    return browse


@pytest.fixture(name="tool", scope="session")
def the_generator(tmp_path_factory):
    """(its Python, a folder with a tokenizer), both as the role would have them."""
    lock = FILES / "requirements.txt"
    name = hashlib.sha256(lock.read_bytes() + sys.version.encode()).hexdigest()[:12]
    folder = REPOSITORY / f".lab/cache/load-tool-{name}"
    python = folder / "bin/python"
    if not (folder / ".complete").exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
        install = [python, "-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes", "--requirement", lock]
        subprocess.run([*install, "--disable-pip-version-check", "--only-binary", ":all:"], check=True)
        (folder / ".complete").touch()
    tokenizer = tmp_path_factory.mktemp("tokenizer")
    texts = [path.read_text(encoding="utf-8") for path in sorted((REPOSITORY / "docs").glob("*.md"))]
    make = "import json, sys; from pathlib import Path; from lab.model.tokenizer import write_tokenizer\n"
    make += "write_tokenizer(Path(sys.argv[1]), json.load(sys.stdin), 1024)"
    subprocess.run([python, "-c", make, tokenizer], cwd=REPOSITORY, input=json.dumps(texts), text=True, check=True)
    return python, tokenizer


@pytest.fixture(name="measure")
def a_load_test(tool, tmp_path):
    """measure(truth, key=KEY, **settings): (what load_test.py said, its result or None, all that it printed)."""
    python, tokenizer = tool

    def measure(truth, key=KEY, **more):
        settings = {
            "url": truth.url,
            "model": "truth",
            "tokenizer": str(tokenizer),
            "concurrencies": [8],
            "requests": 4,
            "repeats": 1,
            "prompt_tokens": 20,
            "output_tokens": 12,
            "seed": 1,
            "warm_up": False,
            "seconds": 60,
            "result": str(tmp_path / "result.json"),
            "by": "guidellm",
            "about": {},
        } | more
        environment = os.environ | {"LOAD_TEST_KEY": key, "GH200_PROGRESS": str(tmp_path / "progress.json")}
        command = [python, FILES / "load_test.py", json.dumps(settings)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=300)
        path = tmp_path / "result.json"
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        assert key not in done.stdout + done.stderr + text
        return done.stderr.strip(), json.loads(text) if text else None, done.stdout

    return measure
