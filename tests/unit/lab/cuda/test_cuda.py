# SPDX-License-Identifier: GPL-3.0-or-later
"""The CUDA lane without its downloads: stand-ins, what the node's image gets, values of the roles."""

from __future__ import annotations

import ctypes
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import yaml

from lab import cuda
from lab.config import Paths
from lab.cuda import lane, layer, library, wheels
from lab.errors import LabError

REPOSITORY = Path(cuda.__file__).parents[2]
METADATA = """\
Metadata-Version: 2.1
Name: torch
Requires-Dist: filelock
Requires-Dist: nvidia-cudnn-cu12 (==9.1.0.70) ; platform_system == "Linux"
Requires-Dist: nvidia-nvtx-cu12==12.4.127; platform_system == "Linux"
Requires-Dist: triton (==3.1.0) ; platform_system == "Linux"
"""
LISTED = """
libtorch_cuda.so:
                 U cudnnCreate@libcudnn.so.9
                 U cudnnDestroy@libcudnn.so.9
                 U malloc@GLIBC_2.2.5
                 U ncclAllReduce
                 U pncclGroupEnd
libtorch_python.so:
                 U cudnnCreate@libcudnn.so.9
"""


@pytest.fixture(name="torch")
def torch_wheel(tmp_path):
    """What a wheel of torch says about itself."""
    path = tmp_path / "torch-2.5.1-cp311-cp311-manylinux1_x86_64.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("torch-2.5.1.dist-info/METADATA", METADATA)
    return path


def test_what_torch_asks_of_nvidia_is_served_as_stand_ins(tmp_path, torch):
    paths = Paths(tmp_path / "lab")
    served = wheels.publish(paths, torch)
    assert wheels.publish(paths, torch) == served
    assert list(served) == ["torch", "nvidia-cudnn-cu12", "nvidia-nvtx-cu12"]
    assert {path.name for path in (paths.hub / "files").iterdir()} == {file for file, digest in served.values()}


def test_pip_takes_a_stand_in_for_the_version_that_torch_wants(tmp_path, torch):
    paths = Paths(tmp_path / "lab")
    name, dummy = wheels.publish(paths, torch)["nvidia-cudnn-cu12"]
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", f"--find-links={paths.hub / 'files'}"]
    command = [*pip, f"--target={tmp_path / 'site'}", "nvidia-cudnn-cu12==9.1.0.70"]
    subprocess.run(command, check=True, capture_output=True)
    assert name.startswith("nvidia_cudnn_cu12-9.1.0.70+standin-")
    assert [path.name for path in (tmp_path / "site").iterdir()] == ["nvidia_cudnn_cu12-9.1.0.70+standin.dist-info"]


def test_names_that_torch_asks_for_are_found_once():
    assert library.names(LISTED, "cudnn") == ["cudnnCreate", "cudnnDestroy"]
    assert library.names(LISTED, "nccl") == ["ncclAllReduce", "pncclGroupEnd"]


def test_a_stand_in_library_has_the_names(tmp_path):
    code, versions = library.sources(["cudnnCreate", "cudnnDestroy"], "libcudnn.so.9")
    (tmp_path / "a.c").write_text(code, encoding="utf-8")
    (tmp_path / "a.map").write_text(versions, encoding="utf-8")
    command = ["gcc", "-shared", "-fPIC", "-nostdlib", "-Wl,--version-script=a.map", "-o", "a.so", "a.c"]
    subprocess.run(command, cwd=tmp_path, check=True)
    loaded = ctypes.CDLL(str(tmp_path / "a.so"))
    assert loaded.cudnnCreate and not hasattr(loaded, "cudnnOther")


def test_the_sources_of_a_build_are_where_the_inventory_says(tmp_path):
    with zipfile.ZipFile(tmp_path / "cutlass.whl", "w") as archive:
        archive.writestr("cutlass_library/source/include/cutlass/cutlass.h", "")
        archive.writestr("cutlass_library/source/tools/util/include/x.h", "")
    layer.sources(tmp_path / "opt", tmp_path / "cutlass.whl")
    cutlass, flash_attention = (
        tmp_path / lane.LANE[f"vllm_build_{name}_dir"].lstrip("/") for name in ("cutlass", "flash_attention")
    )
    assert (cutlass / "include/cutlass/cutlass.h").is_file() and (cutlass / "tools/util/include/x.h").is_file()
    assert (cutlass / "python/cutlass_library").is_dir()
    assert "_vllm_fa3_C" in (flash_attention / "CMakeLists.txt").read_text(encoding="utf-8")


def test_the_roles_know_every_value():
    files = [*REPOSITORY.glob("roles/*/defaults/main.yml"), *REPOSITORY.glob("roles/*/defaults/main/*.yml")]
    known = {name for file in files for name in yaml.safe_load(file.read_text(encoding="utf-8"))}
    values = lane.lane({"torch": ("torch.whl", "0"), "nvidia-nvtx-cu12": ("nvtx.whl", "1")}, "http://192.0.2.1:8601")
    assert values.keys() <= known
    assert values["vllm_build_torch"] == [
        "torch @ http://192.0.2.1:8601/files/torch.whl#sha256=0",
        "nvidia-nvtx-cu12 @ http://192.0.2.1:8601/files/nvtx.whl#sha256=1",
        "torchvision==0.20.1",
    ]


@pytest.mark.parametrize(
    ("line", "tolerated"),
    [
        ("vllm 0.7.2+gh200.cu124 requires xformers, which is not installed.", True),
        ("vllm 0.7.2+gh200.cu124 requires aiohttp, which is not installed.", False),
        ("torch 2.5.1 requires nvidia-nccl-cu12, which is not installed.", False),
    ],
)
def test_only_what_is_left_out_is_tolerated(line, tolerated):
    assert any(re.search(pattern, line) for pattern in lane.LANE["vllm_build_tolerated"]) is tolerated


def test_another_architecture_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(cuda.platform, "machine", lambda: "aarch64")
    with pytest.raises(LabError, match="is for x86_64 and this machine is aarch64"):
        cuda.prepare(Paths(tmp_path), lambda text: None)
