# SPDX-License-Identifier: GPL-3.0-or-later
"""Bodies that clients send. Unknown fields are ignored, as the real API does."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field, StringConstraints

Name = Annotated[str, StringConstraints(max_length=64)]


class Tag(BaseModel):
    key: str = Field(max_length=55, pattern=r"^[a-z][a-z0-9-:]+$")
    value: str = Field(max_length=128)


class Image(BaseModel):
    id: str | None = None
    family: str | None = None


class Mount(BaseModel):
    file_system_id: str
    mount_point: str = Field(max_length=256, pattern=r"^(/home|/lambda/nfs|/data)[/a-zA-Z0-9-]*$")


class Launch(BaseModel):
    region_name: str
    instance_type_name: str
    ssh_key_names: list[str] = Field(min_length=1, max_length=1)
    file_system_names: list[str] = []
    file_system_mounts: list[Mount] = []
    hostname: str | None = Field(None, min_length=1, max_length=63, pattern=r"^[a-z0-9][0-9a-z-]{0,62}$")
    name: Name | None = None
    image: Image | None = None
    user_data: str | None = Field(None, max_length=1024 * 1024)
    tags: list[Tag] = []
    quantity: int = Field(1, ge=1, le=1)


class InstanceIds(BaseModel):
    instance_ids: list[str] = Field(min_length=1)


class Rename(BaseModel):
    name: Name | None = None


class SshKey(BaseModel):
    name: str = Field(min_length=1, max_length=64)
    public_key: str | None = Field(None, min_length=1, max_length=4096)


class Filesystem(BaseModel):
    name: str = Field(min_length=1, max_length=60, pattern=r"^[a-zA-Z]+[0-9a-zA-Z-]*$")
    region: str
