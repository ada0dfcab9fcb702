# SPDX-License-Identifier: GPL-3.0-or-later
"""Bodies that clients send. Unknown fields are ignored, as the real API does; null is not the same as left out."""

from __future__ import annotations

from ipaddress import IPv4Network
from typing import Annotated, Literal, Self, TypeVar

from pydantic import BaseModel, BeforeValidator, Field, StringConstraints, model_validator

Name = Annotated[str, StringConstraints(max_length=64)]
Port = Annotated[int, Field(ge=1, le=65535)]


def text(value: object) -> object:
    """A network is written: IPv4Network would take a number, too."""
    if not isinstance(value, str):
        raise ValueError("This is not a text.")
    return value


def given(value: object) -> object:
    """What may be left out is not null."""
    if value is None:
        raise ValueError("This is null: leave it out.")
    return value


T = TypeVar("T")
LeftOut = Annotated[T | None, BeforeValidator(given)]
Network = Annotated[IPv4Network, BeforeValidator(text)]


class Tag(BaseModel):
    """Of an instance."""

    key: str = Field(max_length=55, pattern=r"^[a-z][a-z0-9-:]+$")
    value: str = Field(max_length=128)


class Image(BaseModel):
    """By one of the two; an id counts more."""

    id: str = ""
    family: str = ""

    @model_validator(mode="after")
    def one_of_them(self) -> Self:
        if not self.id and not self.family:
            raise ValueError("An image needs an id or a family.")
        return self


class Mount(BaseModel):
    """A filesystem by its id, and where an instance has it."""

    file_system_id: str
    mount_point: str = Field(max_length=256, pattern=r"^(/home|/lambda/nfs|/data)[/a-zA-Z0-9-]*$")


class RulesetEntry(BaseModel):
    """A firewall ruleset by its id."""

    id: str


class Launch(BaseModel):
    """An instance to be started."""

    region_name: str
    instance_type_name: str
    ssh_key_names: list[str] = Field(min_length=1, max_length=1)
    file_system_names: list[str] = []
    file_system_mounts: list[Mount] = []
    hostname: str = Field("", min_length=1, max_length=63, pattern=r"^[a-z0-9][0-9a-z-]{0,62}$")
    name: LeftOut[Name] = None
    image: LeftOut[Image] = None
    user_data: str = Field("", max_length=1024 * 1024)
    tags: list[Tag] = []
    firewall_rulesets: list[RulesetEntry] = []
    quantity: int = Field(1, ge=1)


class InstanceIds(BaseModel):
    """Instances to be terminated or restarted."""

    instance_ids: list[str] = Field(min_length=1)


class Rename(BaseModel):
    """Of an instance, only the name can be changed."""

    name: LeftOut[Name] = None


class SshKey(BaseModel):
    """A key to be imported; without `public_key`, one to be made."""

    name: str = Field(min_length=1, max_length=64)
    public_key: str = Field("", min_length=1, max_length=4096)


class Filesystem(BaseModel):
    """A filesystem to be made."""

    name: str = Field(min_length=1, max_length=60, pattern=r"^[a-zA-Z]+[0-9a-zA-Z-]*$")
    region: str


class Rule(BaseModel):
    """A network without a mask is one address; one with bits behind the mask is refused."""

    protocol: Literal["tcp", "udp", "icmp", "all"]
    port_range: LeftOut[Annotated[list[Port], Field(min_length=2, max_length=2)]] = None
    source_network: Network
    description: str = Field(max_length=128)

    @model_validator(mode="after")
    def ports_fit_the_protocol(self) -> Self:
        if self.protocol == "icmp" and self.port_range:
            raise ValueError("icmp has no port_range.")
        if self.protocol != "icmp" and not self.port_range:
            raise ValueError(f"{self.protocol} needs a port_range.")
        if self.port_range and self.port_range[0] > self.port_range[1]:
            raise ValueError("port_range ends before it begins.")
        return self


class Rules(BaseModel):
    """All rules for all instances."""

    data: list[Rule]


class Ruleset(BaseModel):
    """A ruleset to be made."""

    name: Name
    region: str
    rules: list[Rule]


class RulesetChange(BaseModel):
    """What is given is replaced."""

    name: LeftOut[Name] = None
    rules: LeftOut[list[Rule]] = None


class GlobalChange(BaseModel):
    """What is given is replaced."""

    rules: LeftOut[list[Rule]] = None
