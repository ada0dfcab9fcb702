# SPDX-License-Identifier: GPL-3.0-or-later
"""Find the CUDA toolkit that the build will use, or say in one sentence why there is none.

CUDA_HOME decides if it is given. Else nvcc is looked for on PATH and then in the
usual places, and the first that the build can use is taken. Prints JSON, or with
--shell the lines that a shell script evaluates.
"""

import argparse
import glob
import json
import os
import platform
import re
import shlex
import shutil
import subprocess
import sys

OLDEST, NEWEST = (12, 3), (12, 8)
USUAL = ["/usr/local/cuda", "/usr/local/cuda-12.*", "/usr", "/usr/lib/cuda", "/opt/cuda"]
ADVICE = "install a CUDA toolkit from 12.3 to 12.8, or set vllm_build_cuda_home to where one is"


class Refused(Exception):
    """One sentence on what a toolkit lacks."""


def find(cuda_home="", path="", root="/"):
    """The toolkit: dict of cuda_home, nvcc, version and path (of the folder of nvcc).

    root: where the usual places and the libraries of the system begin, for tests.
    Raises Refused with what the best candidate lacks.
    """
    reasons = []
    for nvcc in candidates(cuda_home, path, root):
        try:
            return examine(nvcc, cuda_home, root)
        except Refused as reason:
            reasons.append(str(reason))
    if reasons:
        raise Refused(reasons[0])
    if cuda_home:
        raise Refused(f"There is no CUDA compiler at {cuda_home}/bin/nvcc, where vllm_build_cuda_home says: {ADVICE}.")
    raise Refused(f"There is no CUDA compiler nvcc on this node, neither on PATH nor in {', '.join(USUAL)}: {ADVICE}.")


def candidates(cuda_home, path, root):
    """Paths of nvcc that exist, the likeliest first."""
    if cuda_home:
        found = [os.path.join(cuda_home, "bin", "nvcc")]
    else:
        places = [
            home for pattern in USUAL for home in sorted(glob.glob(below(root, pattern)), key=numbers, reverse=True)
        ]
        found = [shutil.which("nvcc", path=path) or ""] + [os.path.join(home, "bin", "nvcc") for home in places]
    return [nvcc for nvcc in dict.fromkeys(found) if os.access(nvcc, os.X_OK)]


def examine(nvcc, cuda_home="", root="/"):
    """The toolkit that this nvcc belongs to. Raises Refused."""
    version = version_of(nvcc)
    told = ".".join(map(str, version))
    if not OLDEST <= version <= NEWEST:
        raise Refused(
            f"The CUDA compiler {nvcc} is version {told}, "
            f"too {'old' if version < OLDEST else 'new'} for vLLM 0.7.2: {ADVICE}."
        )
    homes = (
        [cuda_home] if cuda_home else [os.path.dirname(os.path.dirname(at)) for at in (nvcc, os.path.realpath(nvcc))]
    )
    home = next((home for home in homes if os.path.exists(os.path.join(home, "include", "cuda_runtime.h"))), None)
    if home is None:
        raise Refused(
            f"The CUDA toolkit of {nvcc} has no {homes[0]}/include/cuda_runtime.h: "
            "install its headers (nvidia-cuda-dev, or "
            f"cuda-cudart-dev of NVIDIA), or set vllm_build_cuda_home to a whole toolkit."
        )
    if not present("libnvToolsExt.so", libraries(home) + linker_paths(root)):
        raise Refused(
            f"The CUDA {told} at {home} has no libnvToolsExt.so, which torch 2.5 links: "
            "install it (nvidia-cuda-dev, or "
            f"cuda-nvtx of NVIDIA), or set vllm_build_cuda_home to a whole toolkit."
        )
    if not present("libcuda.so", linker_paths(root)):
        raise Refused(
            f"The linker finds no libcuda.so in {', '.join(linker_paths(root))}, which vLLM links: "
            "install the NVIDIA driver's libraries "
            "(libnvidia-compute), which bring it, or link it there from the toolkit's stubs."
        )
    return {"cuda_home": home, "nvcc": nvcc, "version": told, "path": os.path.dirname(nvcc)}


def version_of(nvcc):
    """(major, minor) that this nvcc tells. Raises Refused."""
    try:
        run = subprocess.run([nvcc, "--version"], capture_output=True, text=True, timeout=20, check=False)
        told = run.stdout + run.stderr
    except (OSError, subprocess.TimeoutExpired) as error:
        told = str(error)
    match = re.search(r"release (\d+)\.(\d+)", told)
    if not match:
        raise Refused(
            f"The CUDA compiler {nvcc} does not tell its version "
            f"({' '.join(told.split())[:200] or 'it printed nothing'}): {ADVICE}."
        )
    return int(match[1]), int(match[2])


def libraries(home):
    """Folders of a toolkit's own libraries, in the layouts of NVIDIA and Debian."""
    return [f"{home}/lib64", f"{home}/lib", f"{home}/lib/{multiarch()}", *glob.glob(f"{home}/targets/*/lib")]


def linker_paths(root="/"):
    """Folders in which `ld` looks for -lcuda: what it says itself, or its defaults where it is not installed yet."""
    if root == "/" and shutil.which("ld"):
        told = subprocess.run(["ld", "--verbose"], capture_output=True, text=True, timeout=20, check=False).stdout
        paths = [path.lstrip("=") for path in re.findall(r'SEARCH_DIR\("([^"]+)"\)', told)]
    else:
        paths = [f"{prefix}/lib{arch}" for arch in (f"/{multiarch()}", "") for prefix in ("/usr/local", "", "/usr")]
    given = [path for path in os.environ.get("LIBRARY_PATH", "").split(":") if path] if root == "/" else []
    return list(dict.fromkeys([*given, *(below(root, os.path.normpath(path)) for path in paths)]))


def present(name, folders):
    """Whether the file, or what its link points to, is in one of them."""
    return any(os.path.exists(os.path.join(folder, name)) for folder in folders)


def multiarch():
    """Debian's name of this architecture, for example aarch64-linux-gnu."""
    return f"{platform.machine()}-linux-gnu"


def below(root, path):
    """An absolute path, as seen from root."""
    return os.path.join(root, path.lstrip("/"))


def numbers(path):
    """A key that puts 12.10 after 12.8."""
    return [int(number) for number in re.findall(r"\d+", os.path.basename(path))]


def shell(toolkit, path):
    """Lines that set the environment of the build; what is first on path stays first if the folder of nvcc is on it."""
    if toolkit["path"] not in path.split(":"):
        path = f"{toolkit['path']}:{path}"
    return "\n".join(
        f"export {name}={shlex.quote(value)}"
        for name, value in {"CUDA_HOME": toolkit["cuda_home"], "CUDACXX": toolkit["nvcc"], "PATH": path}.items()
    )


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cuda-home", default="")
    parser.add_argument("--unless", action="append", default=[], help="a file that makes all this needless")
    parser.add_argument("--shell", action="store_true")
    options = parser.parse_args(arguments)
    if any(os.path.exists(path) for path in options.unless):
        return
    try:
        toolkit = find(options.cuda_home, os.environ.get("PATH", ""))
    except Refused as reason:
        sys.exit(str(reason))
    print(shell(toolkit, os.environ["PATH"]) if options.shell else json.dumps(toolkit))


if __name__ == "__main__":
    main()
