# SPDX-License-Identifier: GPL-3.0-or-later
"""The compiler's stand-in: what it hands on, what it only plans, and what it records."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from lab.cuda import nvcc

COMMAND = [
    "-DTORCH",
    "-gencode",
    "arch=compute_90a,code=[sm_90a]",
    "-MD",
    "-MT",
    "a.cu.o",
    "-MF",
    "a.cu.o.d",
    "-x",
    "cu",
    "-c",
    "/b/csrc/moe/a.cu",
    "-o",
    "a.cu.o",
]
PLAN = """\
#$ cicc --orig_src_file_name "a.cu" -arch compute_90a x.ii
#$ ptxas -m64 -arch=sm_90a "a.ptx" -o "a.cubin"
#$ ptxas -m64  -arch sm_90 "a.ptx" -o "b.cubin"
"""
# By way of sh: a #! line ends at the first blank, which the path of a checkout may have.
COMPILER = f"""#!/bin/sh
'''exec' "{sys.executable}" "$0" "$@"
' '''
import sys
if "--dryrun" in sys.argv:
    sys.stderr.write({PLAN!r} if "bad" not in sys.argv else "nvcc fatal: bad\\n")
    sys.exit("bad" in sys.argv)
print("compiled")
"""


@pytest.fixture(name="node")
def stand_in_node(tmp_path, monkeypatch):
    """Its folders below a temporary one, with a compiler that only prints."""
    tools, log, real = tmp_path / "bin", tmp_path / "log", tmp_path / "real.txt"
    tools.mkdir()
    log.mkdir()
    real.write_text("# comment\nmoe/a.cu\n", encoding="utf-8")
    (tools / "nvcc").write_text(COMPILER, encoding="utf-8")
    (tools / "nvcc").chmod(0o755)
    for name, value in (("TOOLS", tools), ("LOG", log), ("REAL", real)):
        monkeypatch.setattr(nvcc, name, str(value))
    monkeypatch.setenv("PATH", os.environ["PATH"])
    monkeypatch.chdir(tmp_path)
    return tmp_path


def entry(node):
    """The only record."""
    (path,) = (node / "log").iterdir()
    return path.name, json.loads(path.read_text(encoding="utf-8"))


def test_a_source_of_the_list_is_compiled(node, capfd):
    assert nvcc.main(COMMAND) == 0
    assert "compiled" in capfd.readouterr().out and not (node / "a.cu.o").exists()
    name, found = entry(node)
    assert name == "moe--a.cu.json"
    assert found["real"] is True and found["source"] == "moe/a.cu"
    assert found["flags"] == [["compute_90a", "sm_90a"]] and found["architectures"] == ["sm_90", "sm_90a"]


def test_another_source_is_planned_and_gives_an_empty_object(node, capfd):
    assert nvcc.main([word.replace("moe/a", "moe/b") for word in COMMAND]) == 0
    assert "compiled" not in capfd.readouterr().out
    assert (node / "a.cu.o").stat().st_size > 0
    assert (node / "a.cu.o.d").read_text(encoding="utf-8") == "a.cu.o: /b/csrc/moe/b.cu\n"
    assert entry(node)[1]["real"] is False


def test_what_the_compiler_refuses_to_plan_is_an_error(node, capfd):
    assert nvcc.main([*COMMAND, "bad"]) == 1
    assert "nvcc fatal" in capfd.readouterr().err and not list((node / "log").iterdir())


@pytest.mark.parametrize(
    "command",
    [
        ["--version"],
        ["-c", "/cmake/CMakeCUDACompilerId.cu", "-o", "x.o"],
        ["-E", "/b/csrc/moe/a.cu"],
    ],
)
def test_what_is_no_source_of_vllm_goes_to_the_compiler(node, command):
    folder = str(Path(nvcc.__file__).parent)
    program = (
        f"import sys; sys.path.insert(0, {folder!r}); import nvcc; nvcc.TOOLS = {nvcc.TOOLS!r}; nvcc.main({command!r})"
    )
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert told.stdout == "compiled\n" and not list((node / "log").iterdir())
