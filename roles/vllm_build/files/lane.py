# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the lane can be on this node: told in the first minute, in one sentence.

Usage: lane.py JSON, with lane, device, version, wheels, python (3.11), cuda, constraints (null: nobody knows them)
and done (a file that makes it needless). Prints nothing where all is well.
"""

import json
import os
import platform
import re
import subprocess
import sys
import urllib.parse

FIRST_ON_AARCH64 = (0, 10, 2)
HOW = "get it once from where you trust it, ask `sha256sum` for it, and give that as sha256 in vllm_build_wheels"


class Refused(Exception):
    """One sentence."""


def wheels(asked, machine):
    """The lane wheels. Raises Refused."""
    if not asked["wheels"]:
        raise Refused("vllm_build_lane is wheels and vllm_build_wheels is empty: give the address and sha256 of each.")
    names = [wheel(given, asked["python"], machine) for given in asked["wheels"]]
    found = [version for project, version in names if project == "vllm"]
    if not found:
        raise Refused(f"None of the {len(names)} files in vllm_build_wheels is a wheel of vllm: add it.")
    if release(found[0]) != release(asked["version"]):
        raise Refused(
            f"The wheel in vllm_build_wheels is vLLM {found[0]}, and vllm_build_version is {asked['version']}: "
            "set that to the same release."
        )


def wheel(given, python, machine):
    """(project, version) of one wheel that is held to a checksum and fits this node. Raises Refused."""
    url, sha256 = given.get("url", ""), given.get("sha256") or ""
    name = urllib.parse.unquote(urllib.parse.urlsplit(url).path).rsplit("/", 1)[-1]
    parts = name.removesuffix(".whl").split("-")
    if not name.endswith(".whl") or len(parts) not in (5, 6):
        raise Refused(
            f"{url} in vllm_build_wheels is no wheel: a wheel is called NAME-VERSION-PYTHON-ABI-PLATFORM.whl."
        )
    if not sha256:
        raise Refused(f"The wheel {url} has no checksum, and nothing is installed unseen: {HOW}.")
    if not re.fullmatch("[0-9a-f]{64}", sha256):
        raise Refused(f"The sha256 of {url} is not 64 hexadecimal digits: {HOW}.")
    tag, abi, system = parts[-3:]
    if system != "any" and not system.endswith(machine):
        raise Refused(f"{name} is for {system}, and this node is {machine}: name the wheel for {machine}.")
    wanted = "cp" + python.replace(".", "")
    if abi not in ("abi3", "none") and python and wanted not in tag.split("."):
        raise Refused(f"{name} is for {tag}, and venv_python is Python {python}: name the wheel for {wanted}.")
    return parts[0].lower().replace("_", "-"), parts[1]


def index(asked, machine):
    """The lane index. Raises Refused."""
    version = asked["version"]
    if machine == "aarch64" and release(version) < FIRST_ON_AARCH64:
        raise Refused(
            f"The package index has no wheel of vLLM {version} for aarch64, the first is 0.10.2: "
            "set vllm_build_version to that or a later one, or vllm_build_lane to source."
        )
    if asked["constraints"] is None:
        raise Refused(
            f"Nobody knows which versions vLLM {version} works with: give them in vllm_build_index_constraints "
            "(`pip freeze` of an environment where it did), or an empty list for the newest of everything."
        )
    if asked["device"] == "cuda" and not asked["cuda"]:
        raise Refused(
            f"Nobody knows the CUDA of vLLM {version}: set vllm_build_index_torch_cuda to what its torch is built for, "
            "such as 13.0."
        )
    driver = driver_cuda()
    if asked["cuda"] and driver and release(driver)[0] < release(asked["cuda"])[0]:
        raise Refused(
            f"The driver of this node knows CUDA {driver}, and vLLM {version} comes for CUDA {asked['cuda']}: take a "
            "release or an index (vllm_build_index) that is built for the driver's, or install a newer driver."
        )


def release(version):
    """(0, 20, 2) of 0.20.2+cu129."""
    return tuple(int(part) for part in re.findall(r"\d+", version.partition("+")[0])) or (0,)


def driver_cuda():
    """The newest CUDA that the driver knows, or nothing where there is no driver."""
    try:
        said = subprocess.run(["nvidia-smi"], capture_output=True, text=True, timeout=60, check=False).stdout
    except (OSError, subprocess.TimeoutExpired):
        return ""
    found = re.search(r"CUDA Version:\s*(\d+\.\d+)", said)
    return found[1] if found else ""


if __name__ == "__main__":
    settings = json.loads(sys.argv[1])
    try:
        if not os.path.exists(settings["done"]):
            {"wheels": wheels, "index": index}[settings["lane"]](settings, platform.machine())
    except Refused as refusal:
        sys.exit(str(refusal))
