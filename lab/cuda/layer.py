# SPDX-License-Identifier: GPL-3.0-or-later
"""What lies above the CUDA toolkit in the nodes' image: the compiler's wrapper, the sources that a
build would fetch, and the libraries that a driver or NVIDIA's mathematics would bring."""

from __future__ import annotations

import hashlib
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

from .. import shell
from ..config import Paths
from ..nodes import image
from . import library

HERE = Path(__file__).resolve().parent
LIBRARIES = "usr/lib/x86_64-linux-gnu"
# NVIDIA's own stand-ins for linking, in stubs/, under the names that torch loads.
MATHEMATICS = (
    "cublas.so.12",
    "cublasLt.so.12",
    "cufft.so.11",
    "curand.so.10",
    "cusolver.so.11",
    "cusparse.so.12",
    "nvJitLink.so.12",
)
# As a driver brings it. vLLM's allocator links it.
DRIVER = ("cuda.so.1", "cuda.so")

CUTLASS = """\
cmake_minimum_required(VERSION 3.19)
project(cutlass NONE)
set(CUTLASS_DIR ${CMAKE_CURRENT_SOURCE_DIR} CACHE INTERNAL "")
set(CUTLASS_INCLUDE_DIR ${CMAKE_CURRENT_SOURCE_DIR}/include CACHE INTERNAL "")
set(CUTLASS_TOOLS_UTIL_INCLUDE_DIR ${CMAKE_CURRENT_SOURCE_DIR}/tools/util/include CACHE INTERNAL "")
"""
FLASH_ATTENTION = """\
cmake_minimum_required(VERSION 3.26)
project(vllm_flash_attn NONE)
# Left out: it compiles for hours. vLLM only wants to know the two names.
add_custom_target(_vllm_fa2_C)
add_custom_target(_vllm_fa3_C)
"""


def build(paths: Paths, base: Path, tree: Path, torch: Path, cutlass: Path, progress: Callable[[str], None]) -> Path:
    """Folder of the layer; made again when anything in it would be another."""
    code = b"".join(path.read_bytes() for path in sorted(HERE.glob("*")) if path.is_file())
    recipe = hashlib.sha256(f"{base.name} {tree.name} {torch.name} {cutlass.name}".encode() + code).hexdigest()[:12]
    folder = paths.cache / "cuda"
    layer = folder / f"layer-{recipe}"
    if layer.exists():
        return layer
    progress("CUDA 12.4: stand-ins for what nobody calls while compiling")
    unfinished = folder / "layer-unfinished"
    image.remove(unfinished)
    upper, work, root = (unfinished / name for name in ("upper", "work", "root"))
    for part in (upper, work, root):
        part.mkdir(parents=True)
    options = f"lowerdir={tree}:{base},upperdir={upper},workdir={work}"
    shell.run("mount", "-t", "overlay", "overlay", "-o", options, root)
    try:
        fill(root, torch, cutlass)
    finally:
        shell.run("umount", root)
    upper.rename(layer)
    image.remove(unfinished)
    for old in folder.glob("layer-*"):
        if old != layer and not _in_use(old):
            shutil.rmtree(old)
    return layer


def fill(root: Path, torch: Path, cutlass: Path) -> None:
    """All files of the layer, into a root that has compilers and the toolkit."""
    compiler = root / "usr/bin/nvcc"
    compiler.unlink()
    image.write(compiler, (HERE / "nvcc.py").read_text(encoding="utf-8"), 0o755)
    image.write(root / "etc/nvcc-real-sources.txt", (HERE / "real-sources.txt").read_text(encoding="utf-8"))
    log = root / "var/log/nvcc"
    log.mkdir()
    log.chmod(0o1777)
    sources(root / "opt", cutlass)
    for name in MATHEMATICS + DRIVER:
        link = root / LIBRARIES / f"lib{name}"
        link.unlink(missing_ok=True)
        link.symlink_to(f"stubs/lib{name.partition('.')[0]}.so")
    library.make(root, torch, {"libcudnn.so.9": "cudnn", "libnccl.so.2": "nccl"}, LIBRARIES)
    shell.run("chroot", root, "ldconfig")


def sources(folder: Path, cutlass: Path) -> None:
    """What takes the place of two git clones."""
    image.write(folder / "cutlass/CMakeLists.txt", CUTLASS)
    with zipfile.ZipFile(cutlass) as archive:
        archive.extractall(folder / "cutlass/python")
    for name in ("include", "tools"):
        (folder / "cutlass" / name).symlink_to(f"python/cutlass_library/source/{name}")
    image.write(folder / "flash-attention/CMakeLists.txt", FLASH_ATTENTION)
    (folder / "flash-attention/vllm_flash_attn").mkdir()


def _in_use(layer: Path) -> bool:
    """Whether a node lies on it."""
    return str(layer) in Path("/proc/self/mountinfo").read_text(encoding="utf-8")
