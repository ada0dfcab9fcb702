# SPDX-License-Identifier: GPL-3.0-or-later
"""nvcc is found in the layouts that there are, and what cannot build is refused in one sentence."""

from __future__ import annotations

import platform
import re

import pytest

ARCH = f"{platform.machine()}-linux-gnu"


@pytest.fixture(name="toolkit")
def program(load):
    return load("vllm_build/toolkit.py")


class Tree:
    """A root with made-up toolkits and a driver's library."""

    def __init__(self, root):
        self.root = root
        self.file(f"usr/lib/{ARCH}/libcuda.so")

    def file(self, path, text="", mode=0o644):
        at = self.root / path
        at.parent.mkdir(parents=True, exist_ok=True)
        at.write_text(text, encoding="utf-8")
        at.chmod(mode)
        return at

    def nvcc(self, home, version):
        return self.file(
            f"{home}/bin/nvcc", f"#!/bin/sh\necho 'Cuda compilation tools, release {version}, V{version}.1'\n", 0o755
        )

    def nvidia(self, home, version):
        self.file(f"{home}/include/cuda_runtime.h")
        self.file(f"{home}/lib64/libnvToolsExt.so")
        return self.nvcc(home, version)

    def debian(self, version):
        self.file("usr/include/cuda_runtime.h")
        self.file(f"usr/lib/{ARCH}/libnvToolsExt.so")
        return self.nvcc("usr", version)

    def path(self, *folders):
        return ":".join(str(self.root / folder) for folder in folders)


@pytest.fixture(name="tree")
def made_up_root(tmp_path):
    return Tree(tmp_path)


def refusal(toolkit, tree, **options):
    with pytest.raises(toolkit.Refused) as refused:
        toolkit.find(root=str(tree.root), **options)
    sentence = str(refused.value)
    assert "vllm_build_cuda_home" in sentence or "libcuda" in sentence
    assert sentence.endswith(".") and "\n" not in sentence
    return sentence


def test_the_layout_of_debian(toolkit, tree):
    nvcc = tree.debian("12.4")
    assert toolkit.find(path=tree.path("usr/bin"), root=str(tree.root)) == {
        "cuda_home": str(tree.root / "usr"),
        "nvcc": str(nvcc),
        "version": "12.4",
        "path": str(tree.root / "usr/bin"),
    }


def test_the_layout_of_nvidia_that_is_not_on_path(toolkit, tree):
    tree.nvidia("usr/local/cuda", "12.8")
    found = toolkit.find(path=tree.path("usr/bin"), root=str(tree.root))
    assert (found["cuda_home"], found["version"]) == (str(tree.root / "usr/local/cuda"), "12.8")


def test_a_link_on_path_leads_to_its_toolkit(toolkit, tree):
    nvcc = tree.nvidia("usr/local/cuda-12.6", "12.6")
    (tree.root / "usr/bin").mkdir()
    (tree.root / "usr/bin/nvcc").symlink_to(nvcc)
    assert toolkit.find(path=tree.path("usr/bin"), root=str(tree.root))["cuda_home"] == str(
        tree.root / "usr/local/cuda-12.6"
    )


def test_the_newest_of_several_that_can_build(toolkit, tree):
    for version in ("12.4", "12.8", "12.10"):
        tree.nvidia(f"usr/local/cuda-{version}", version)
    assert toolkit.find(root=str(tree.root))["version"] == "12.8"


def test_path_goes_before_the_usual_places(toolkit, tree):
    tree.nvidia("usr/local/cuda", "12.8")
    tree.nvidia("home/toolkit", "12.5")
    assert toolkit.find(path=tree.path("home/toolkit/bin"), root=str(tree.root))["version"] == "12.5"


def test_one_that_cannot_build_is_passed_over(toolkit, tree):
    tree.debian("13.0")
    tree.nvidia("usr/local/cuda-12.8", "12.8")
    assert toolkit.find(path=tree.path("usr/bin"), root=str(tree.root))["version"] == "12.8"


def test_what_is_set_is_not_passed_over(toolkit, tree):
    tree.nvidia("opt/mine", "13.0")
    tree.nvidia("usr/local/cuda", "12.8")
    assert "is version 13.0, too new" in refusal(toolkit, tree, cuda_home=str(tree.root / "opt/mine"))


def test_a_folder_that_is_set_and_has_no_compiler(toolkit, tree):
    tree.nvidia("usr/local/cuda", "12.8")
    assert refusal(toolkit, tree, cuda_home="/opt/none").startswith("There is no CUDA compiler at /opt/none/bin/nvcc")


@pytest.mark.parametrize(("version", "word"), [("13.0", "new"), ("12.9", "new"), ("12.2", "old"), ("11.8", "old")])
def test_versions_that_do_not_build(toolkit, tree, version, word):
    tree.debian(version)
    assert f"is version {version}, too {word} for vLLM 0.7.2" in refusal(toolkit, tree)


@pytest.mark.parametrize("version", ["12.3", "12.4", "12.8"])
def test_versions_that_build(toolkit, tree, version):
    tree.debian(version)
    assert toolkit.find(root=str(tree.root))["version"] == version


def test_none(toolkit, tree):
    assert refusal(toolkit, tree).startswith("There is no CUDA compiler nvcc on this node")


def test_no_headers(toolkit, tree):
    tree.debian("12.8")
    (tree.root / "usr/include/cuda_runtime.h").unlink()
    assert "has no " + str(tree.root / "usr/include/cuda_runtime.h") in refusal(toolkit, tree)


def test_no_tools_extension(toolkit, tree):
    tree.debian("12.8")
    (tree.root / f"usr/lib/{ARCH}/libnvToolsExt.so").unlink()
    assert "has no libnvToolsExt.so" in refusal(toolkit, tree)


def test_stubs_are_not_on_the_path_of_the_linker(toolkit, tree):
    tree.nvidia("usr/local/cuda", "12.8")
    (tree.root / f"usr/lib/{ARCH}/libcuda.so").rename(tree.file("usr/local/cuda/lib64/stubs/libcuda.so"))
    assert "The linker finds no libcuda.so" in refusal(toolkit, tree)


def test_a_link_to_nothing_is_no_library(toolkit, tree):
    tree.debian("12.8")
    library = tree.root / f"usr/lib/{ARCH}/libcuda.so"
    library.unlink()
    library.symlink_to("libcuda.so.1")
    assert "The linker finds no libcuda.so" in refusal(toolkit, tree)


def test_a_compiler_that_does_not_run(toolkit, tree):
    tree.file("usr/bin/nvcc", "#!/bin/sh\necho 'wrong ELF class' >&2\nexit 126\n", 0o755)
    assert "does not tell its version (wrong ELF class)" in refusal(toolkit, tree)


def test_the_script_gets_the_environment(toolkit):
    found = {"cuda_home": "/opt/my cuda", "nvcc": "/opt/my cuda/bin/nvcc", "path": "/opt/my cuda/bin"}
    assert toolkit.shell(found, "/venv/bin:/usr/bin").splitlines() == [
        "export CUDA_HOME='/opt/my cuda'",
        "export CUDACXX='/opt/my cuda/bin/nvcc'",
        "export PATH='/opt/my cuda/bin:/venv/bin:/usr/bin'",
    ]


def test_what_is_first_on_path_stays_first_in_the_layout_of_debian(toolkit):
    found = {"cuda_home": "/usr", "nvcc": "/usr/bin/nvcc", "path": "/usr/bin"}
    assert re.search(r"^export PATH=/venv/bin:/usr/bin$", toolkit.shell(found, "/venv/bin:/usr/bin"), re.MULTILINE)


def test_what_is_built_needs_no_compiler(toolkit, tmp_path, capsys):
    (tmp_path / "SHA256SUMS").touch()
    toolkit.main(["--unless", str(tmp_path / "SHA256SUMS"), "--cuda-home", "/none"])
    assert capsys.readouterr().out == ""
    with pytest.raises(SystemExit, match="There is no CUDA compiler at /none/bin/nvcc"):
        toolkit.main(["--cuda-home", "/none"])
