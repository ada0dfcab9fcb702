# SPDX-License-Identifier: GPL-3.0-or-later
"""Instance types with price, regions and images, as seen in 2026."""

from __future__ import annotations

import uuid

REGIONS = {
    "us-east-1": "Virginia, USA",
    "us-east-2": "Washington DC, USA",
    "us-east-3": "Washington DC, USA",
    "us-west-1": "California, USA",
    "us-west-2": "Arizona, USA",
    "us-west-3": "Utah, USA",
    "us-south-1": "Texas, USA",
    "us-south-2": "North Texas, USA",
    "us-south-3": "Central Texas, USA",
    "us-midwest-1": "Illinois, USA",
    "us-southeast-1": "Georgia, USA",
    "europe-central-1": "Germany",
    "australia-east-1": "Australia",
    "asia-south-1": "India",
    "asia-northeast-1": "Tokyo, Japan",
    "asia-northeast-2": "Osaka, Japan",
    "me-west-1": "Israel",
}

# name: description, GPU, cents per hour, vCPUs, memory GiB, storage GiB, GPUs, architecture
_TYPES = {
    "gpu_1x_gh200": ("1x GH200 (96 GB)", "GH200 (96 GB)", 229, 64, 432, 4096, 1, "arm64"),
    "gpu_1x_h100_pcie": ("1x H100 (80 GB PCIe)", "H100 (80 GB PCIe)", 329, 26, 225, 1024, 1, "x86_64"),
    "gpu_1x_h100_sxm5": ("1x H100 (80 GB SXM5)", "H100 (80 GB SXM5)", 429, 26, 225, 2816, 1, "x86_64"),
    "gpu_8x_h100_sxm5": ("8x H100 (80 GB SXM5)", "H100 (80 GB SXM5)", 3192, 208, 1800, 22528, 8, "x86_64"),
    "gpu_1x_a100_sxm4": ("1x A100 (40 GB SXM4)", "A100 (40 GB SXM4)", 199, 30, 220, 512, 1, "x86_64"),
    "gpu_8x_a100_80gb_sxm4": ("8x A100 (80 GB SXM4)", "A100 (80 GB SXM4)", 2232, 240, 1800, 19968, 8, "x86_64"),
    "gpu_1x_a6000": ("1x A6000 (48 GB)", "A6000 (48 GB)", 109, 14, 100, 512, 1, "x86_64"),
    "gpu_1x_a10": ("1x A10 (24 GB PCIe)", "A10 (24 GB PCIe)", 129, 30, 200, 1400, 1, "x86_64"),
    "gpu_8x_b200_sxm6": ("8x B200 (180 GB SXM6)", "B200 (180 GB SXM6)", 5352, 208, 2900, 22528, 8, "x86_64"),
    "cpu_4x_general": ("4x CPU General", "N/A", 20, 4, 16, 512, 0, "x86_64"),
}
FAMILIES = ("lambda-stack-22-04", "lambda-stack-24-04", "gpu-base-24-04")


def region(name: str) -> dict:
    """A region object."""
    return {"name": name, "description": REGIONS[name]}


def instance_type(name: str, prices: dict[str, int]) -> dict:
    """An instance type object at today's price; the live API adds `architecture` to what is documented."""
    description, gpu, price, vcpus, memory, storage, gpus, architecture = _TYPES[name]
    return {
        "name": name,
        "description": description,
        "gpu_description": gpu,
        "price_cents_per_hour": prices.get(name, price),
        "architecture": architecture,
        "specs": {"vcpus": vcpus, "memory_gib": memory, "storage_gib": storage, "gpus": gpus},
    }


def names() -> list[str]:
    """All instance types."""
    return list(_TYPES)


def images() -> list[dict]:
    """One entry per family, architecture and region."""
    listed = []
    for family in FAMILIES:
        for architecture in ("x86_64", "arm64"):
            for place in REGIONS:
                listed.append(
                    {
                        "id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{family}/{architecture}/{place}")),
                        "name": family.replace("-", " ").title(),
                        "description": f"{family} for {architecture}",
                        "family": family,
                        "version": "22.4.5" if "22" in family else "24.4.4",
                        "architecture": architecture,
                        "region": region(place),
                        "created_time": "2026-07-01T00:00:00+00:00",
                        "updated_time": "2026-07-01T00:00:00+00:00",
                    }
                )
    return listed


def architecture(name: str) -> str:
    """Of an instance type: x86_64 or arm64."""
    return _TYPES[name][-1]
