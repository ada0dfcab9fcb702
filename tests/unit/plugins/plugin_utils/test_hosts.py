# SPDX-License-Identifier: GPL-3.0-or-later
"""Instances as hosts, without Ansible: names, variables, groups."""

from __future__ import annotations

import json

import pytest
from ansible_collections.gh200.inference.plugins.plugin_utils import hosts, results
from ansible_collections.gh200.inference.plugins.plugin_utils.fleet import overview


def raw(instance_id="0a", tags=None, **fields):
    """As the API gives it."""
    return {
        "id": instance_id,
        "status": "active",
        "tags": [{"key": key, "value": value} for key, value in (tags or {}).items()],
    } | fields


def node(number, fleet="r1", instance_id=None, launched=None, **fields):
    """A node of a fleet."""
    name = f"{fleet}-{number:02d}"
    tags = {"gh200:fleet": fleet, "gh200:node": name} | ({"gh200:launched": launched} if launched else {})
    return raw(instance_id or f"{fleet}{number}", tags, name=name, **fields)


def one(*args, **fields):
    """One instance, parsed."""
    return hosts.parse([raw(*args, **fields)])[0]


@pytest.mark.parametrize(
    ("tags", "name", "expected"),
    [
        ({"gh200:fleet": "r1", "gh200:node": "r1-00"}, "other", "r1-00"),
        ({}, "web", "web"),
        ({}, "", "0a"),
        ({}, None, "0a"),
        ({}, "  ", "0a"),
        ({}, "..", "0a"),
        ({}, "../../etc/x", ".._.._etc_x"),
        ({}, "a\nb", "a_b"),
        ({}, "{{ 7*7 }}", "{{ 7*7 }}"),
        ({}, "my box", "my box"),
    ],
)
def test_a_host_is_named_after_its_node_then_its_name_then_its_id(tags, name, expected):
    assert hosts.default_name(one(tags=tags, name=name)) == expected


def test_a_name_that_is_taken_gets_the_id():
    assert hosts.unique("web", one("0a"), {"db"}) == "web"
    assert hosts.unique("web", one("0a"), {"web"}) == "web-0a"
    assert hosts.unique("web", one("0a"), {"web", "web-0a"}) == "web-0a-0a"


def test_the_order_does_not_depend_on_the_answer():
    listed = [
        node(1),
        raw("0c", name="web"),
        node(0, instance_id="0b", launched="20"),
        node(0, instance_id="0z", launched="10"),
        raw("0b", name="web"),
    ]
    orders = [[instance.id for instance in hosts.parse(order)] for order in (listed, listed[::-1])]
    assert orders[0] == orders[1] == ["0z", "0b", "r11", "0b", "0c"]


def test_the_variables_are_plain_json():
    instance = one(
        "0a",
        {"gh200:fleet": "r1", "gh200:node": "r1-00", "gh200:launched": "1800000000", "gh200:expires": "1800003600"},
        name="r1-00",
        ip="192.0.2.1",
        private_ip="10.0.0.1",
        hostname="h",
        region={"name": "us-east-3"},
        instance_type={"name": "gpu_1x_gh200", "price_cents_per_hour": 229, "specs": {"gpus": 1}},
        ssh_key_names=["laptop"],
        file_system_names=["shared"],
        jupyter_token="planted",
        jupyter_url="https://planted",
    )
    made = hosts.variables(instance, "public", "/nonexistent")
    assert (
        made
        == json.loads(json.dumps(made))
        == {
            "ansible_host": "192.0.2.1",
            "lambda_id": "0a",
            "lambda_name": "r1-00",
            "lambda_status": "active",
            "lambda_ip": "192.0.2.1",
            "lambda_private_ip": "10.0.0.1",
            "lambda_hostname": "h",
            "lambda_region": "us-east-3",
            "lambda_instance_type": "gpu_1x_gh200",
            "lambda_architecture": "",
            "lambda_price_per_hour": 2.29,
            "lambda_gpus": 1,
            "lambda_file_system_names": ["shared"],
            "lambda_ssh_key_names": ["laptop"],
            "lambda_tags": dict(instance.tags),
            "lambda_fleet": "r1",
            "lambda_node": "r1-00",
            "lambda_launched": "2027-01-15T08:00:00Z",
            "lambda_expires": "2027-01-15T09:00:00Z",
        }
    )


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"tags": {"gh200:fleet": "r1", "gh200:launched": "1800000000"}, "instance_type": {"price_cents_per_hour": 229}},
    ],
)
def test_each_variable_is_a_key_of_the_results_of_modules_with_a_prefix(fields):
    """Same name, same unit, same time format; and what lambda_fleet_info says of a node by the same name is the same
    too.
    """
    instance = one(**fields)
    made = {
        name: value
        for name, value in hosts.variables(instance, "public", "/nonexistent").items()
        if name.startswith("lambda_")
    }
    assert made == {f"lambda_{key}": value for key, value in results.instance(instance).items()}
    node = overview.node(instance, 1_800_000_000)
    common = [key for key in node if f"lambda_{key}" in made and key != "name"]
    assert set(common) >= {"id", "status", "price_per_hour", "launched", "expires"} and all(
        made[f"lambda_{key}"] == node[key] for key in common
    )


@pytest.mark.parametrize(
    ("connect_with", "fields", "address"),
    [
        ("public", {"ip": "192.0.2.1", "private_ip": "10.0.0.1"}, "192.0.2.1"),
        ("private", {"ip": "192.0.2.1", "private_ip": "10.0.0.1"}, "10.0.0.1"),
        ("private", {"ip": "192.0.2.1"}, None),
        ("public", {"ip": "pending"}, None),
        ("public", {"ip": "-oProxyCommand=id"}, None),
        ("public", {}, None),
    ],
)
def test_only_an_address_of_the_wanted_kind_is_connected_to(connect_with, fields, address):
    assert hosts.variables(one(**fields), connect_with, "/nonexistent").get("ansible_host") == address


@pytest.mark.parametrize(
    ("stamp", "text"), [("1800000000", "2027-01-15T08:00:00Z"), ("soon", None), ("", None), ("999999999999", None)]
)
def test_a_time_is_the_one_of_the_tag_or_none(stamp, text):
    assert hosts.variables(one(tags={"gh200:launched": stamp}), "public", "/nonexistent")["lambda_launched"] == text


def test_a_fleet_is_verified_by_its_own_known_hosts(tmp_path):
    (tmp_path / "r1").mkdir()
    (tmp_path / "r1" / "known_hosts").touch()
    (tmp_path / "known_hosts").touch()
    made = hosts.variables(one(tags={"gh200:fleet": "r1"}), "public", str(tmp_path))
    assert (
        made["ansible_ssh_common_args"]
        == f"-o UserKnownHostsFile={tmp_path}/r1/known_hosts -o StrictHostKeyChecking=yes"
    )
    (tmp_path.parent / "x").mkdir(exist_ok=True)
    (tmp_path.parent / "x" / "known_hosts").touch()
    for stranger in (
        "",
        ".",
        "..",
        "r1/../r1",
        "r2",
        "%h",
        "../x",
        f"{tmp_path}/r1",
        "../../x",
        "r1\n",
        "r1\0",
        "x" * 5000,
    ):
        assert "ansible_ssh_common_args" not in hosts.variables(
            one(tags={"gh200:fleet": stranger}), "public", str(tmp_path)
        )


def test_a_folder_with_a_space_or_per_cent_reaches_ssh_as_it_is(tmp_path):
    folder = tmp_path / "my 100%" / "r1"
    folder.mkdir(parents=True)
    (folder / "known_hosts").touch()
    made = hosts.variables(one(tags={"gh200:fleet": "r1"}), "public", str(folder.parent))["ansible_ssh_common_args"]
    assert made == f"-o 'UserKnownHostsFile=\"{tmp_path}/my 100%%/r1/known_hosts\"' -o StrictHostKeyChecking=yes"


@pytest.mark.parametrize(
    ("instance", "groups"),
    [
        (node(0), ["head", "gh200_r1"]),
        (node(1), ["workers", "gh200_r1"]),
        (node(100), ["workers", "gh200_r1"]),
        (node(1, "my-r1"), ["workers", "gh200_my_r1"]),
        (node(1, status="booting"), ["workers", "gh200_r1", "lambda_not_ready"]),
        (raw(), []),
        (raw(status="of-next-year"), ["lambda_not_ready"]),
        (raw(tags={"gh200:fleet": "r1"}), []),
        (raw(name="r1-00"), []),
        (raw(name="r1-prod"), []),
    ],
)
def test_groups_follow_tags_and_status_never_names(instance, groups):
    assert hosts.groups(hosts.parse([instance])[0]) == groups


def test_without_roles_a_node_is_in_the_group_of_its_fleet_alone():
    assert hosts.groups(hosts.parse([node(0)])[0], with_roles=False) == ["gh200_r1"]


def test_the_fleets_are_those_that_have_nodes():
    assert hosts.fleets(
        hosts.parse([node(0, "r2"), node(0), node(1), raw("0b", {"gh200:fleet": "none"}), raw("0c")])
    ) == ["r1", "r2"]


@pytest.mark.parametrize("status", ["terminating", "terminated"])
def test_what_is_terminated_never_passes(status):
    assert not hosts.Wanted().takes(one(status=status)) and not hosts.Wanted(statuses=(status,)).takes(
        one(status=status)
    )


@pytest.mark.parametrize(
    ("wanted", "takes"),
    [
        ({}, True),
        ({"fleet": "r1"}, True),
        ({"fleet": "r"}, False),
        ({"fleet": "r1-prod"}, False),
        ({"regions": ("us-east-3", "x")}, True),
        ({"regions": ("x",)}, False),
        ({"instance_types": ("gpu_1x_gh200",)}, True),
        ({"instance_types": ("gpu_1x",)}, False),
    ],
)
def test_cheap_filters_compare_to_the_letter(wanted, takes):
    instance = hosts.parse([node(0, region={"name": "us-east-3"}, instance_type={"name": "gpu_1x_gh200"})])[0]
    assert hosts.Wanted(**wanted).takes(instance) is takes


@pytest.mark.parametrize(("statuses", "has"), [((), True), (("active",), False), (("booting", "active"), True)])
def test_the_status_is_one_of_those_that_are_wanted(statuses, has):
    assert hosts.Wanted(statuses=statuses).has_status(one(status="booting")) is has


@pytest.mark.parametrize(
    "content",
    [
        None,
        {},
        {"data": []},
        "text",
        ["text"],
        [None],
        [{}],
        [{"id": ""}],
        [{"id": 7}],
        [{"id": "0a", "name": ["x"]}],
        [{"id": "0a", "tags": [{"key": "a", "value": {}}, {"key": "b", "value": 1}]}],
        [{"id": "0a", "instance_type": {"price_cents_per_hour": "much"}}],
    ],
)
def test_what_the_api_never_says_is_refused(content):
    with pytest.raises(ValueError, match=r"not a list of instances|much"):
        hosts.parse(content)


def test_an_empty_account_has_no_hosts():
    assert hosts.parse([]) == []


@pytest.mark.parametrize(
    ("text", "harmless"),
    [
        ("web", True),
        ("#1", True),
        ("100 %", True),
        ("{", False),
        ("{{ x }}", False),
        ("{% x", False),
        ("#jinja2:variable_start_string:'[['\n[[ 7*7 ]]", False),
    ],
)
def test_a_text_is_harmless_when_no_template_can_be_in_it(text, harmless):
    assert hosts.is_harmless(text) is harmless
