# SPDX-License-Identifier: GPL-3.0-or-later
"""The inventory plugin against the simulated API: hosts, filters, cache, and the calls that it makes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from ansible.errors import AnsibleError
from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader
from ansible.utils.display import Display
from ansible_collections.gh200.inference.plugins.inventory import lambda_cloud
from testinfra.utils.ansible_runner import AnsibleRunner

LIST = "GET /instances"
REPOSITORY = Path(__file__).resolve().parents[2]
KIND = {
    "name": "gpu_1x_gh200",
    "description": "1x GH200",
    "price_cents_per_hour": 229,
    "specs": {"gpus": 1, "vcpus": 64},
}


def raw(instance_id, name="", tags=None, **fields):
    """An instance as the API gives it; a field that is None is absent."""
    told = {
        "id": instance_id,
        "name": name,
        "status": "active",
        "ip": f"192.0.2.{len(instance_id)}",
        "private_ip": f"10.0.0.{len(instance_id)}",
        "hostname": name,
        "region": {"name": "us-east-3", "description": "x"},
        "instance_type": KIND,
        "ssh_key_names": ["laptop"],
        "file_system_names": [],
        "tags": [{"key": key, "value": value} for key, value in (tags or {}).items()],
        "jupyter_token": "planted",
        "jupyter_url": "https://planted.example.com/",
    } | fields
    return {key: value for key, value in told.items() if value is not None}


def node(number, fleet="r1", instance_id=None, **fields):
    """A node of a fleet."""
    name = f"{fleet}-{number:02d}"
    return raw(instance_id or f"id-{name}", name, {"gh200:fleet": fleet, "gh200:node": name}, **fields)


@pytest.fixture(name="account")
def account_of_the_cloud(cloud):
    """account(*instances): what the API lists from now on."""

    def account(*instances):
        cloud.cloud.instances = lambda: list(instances)

    account(node(0), node(1), raw("stranger", "web"))
    return account


@pytest.fixture(name="source")
def inventory_file(tmp_path, cloud):
    """source(**options): path of an inventory file for the simulator; an option that is None is left out."""

    def source(**options):
        told = {
            "plugin": "gh200.inference.lambda_cloud",
            "state_dir": str(tmp_path / "state"),
            **cloud.options,
            **options,
        }
        path = tmp_path / "lambda_cloud.yml"
        path.write_text(
            yaml.safe_dump({key: value for key, value in told.items() if value is not None}), encoding="utf-8"
        )
        return str(path)

    return source


@pytest.fixture(name="said")
def what_is_said(monkeypatch):
    """Warnings, and what -v shows."""
    lines = []
    monkeypatch.setattr(Display, "warning", lambda self, msg, *args, **options: lines.append(f"WARNING {msg}"))
    monkeypatch.setattr(
        Display,
        "error_as_warning",
        lambda self, msg=None, exception=None, *args, **options: lines.append(f"{msg} {exception}"),
    )
    monkeypatch.setattr(
        Display,
        "v",
        lambda self, msg, host=None: None if msg.startswith("Using inventory plugin") else lines.append(msg),
    )
    return lines


@pytest.fixture(name="hosts")
def hosts_of_an_inventory(source, account, said, monkeypatch):
    """hosts(refresh=False, extra=None, **options): the inventory, after one run of the plugin in this process."""
    monkeypatch.setattr("ansible.constants.INVENTORY_ANY_UNPARSED_IS_FAILED", True)
    # In this process nothing shall be said at the end.
    monkeypatch.setattr(lambda_cloud.inventory_file, "FAILED", {})

    def hosts(refresh=False, extra=None, **options):
        monkeypatch.setattr("ansible.plugins.inventory.load_extra_vars", lambda loader: extra or {})
        try:
            return InventoryManager(DataLoader(), sources=[source(**options)], cache=not refresh)
        except AnsibleError:
            print("\n".join(said))
            raise

    return hosts


@pytest.fixture(name="cached")
def cached_inventory(hosts, tmp_path):
    """cached(refresh=False, **options): the same with a cache in a file; `cached.files()` are its files."""
    folder = tmp_path / "cache"

    def cached(refresh=False, **options):
        return hosts(
            refresh,
            **{"cache": True, "cache_plugin": "ansible.builtin.jsonfile", "cache_connection": str(folder), **options},
        )

    cached.files = lambda: list(folder.iterdir())
    return cached


def names(inventory, group="all"):
    """Names of the hosts of a group, in their order."""
    return list(inventory.hosts) if group == "all" else [host.name for host in inventory.groups[group].get_hosts()]


def test_one_call_gives_fleet_and_strangers(hosts, cloud, said):
    inventory = hosts()
    assert cloud.calls() == [LIST]
    assert {group: names(inventory, group) for group in inventory.groups if group != "all"} == {
        "ungrouped": ["web"],
        "head": ["r1-00"],
        "workers": ["r1-01"],
        "lambda_not_ready": [],
        "gh200_r1": ["r1-00", "r1-01"],
    }
    variables = inventory.get_host("r1-01").vars
    assert variables["ansible_host"] == variables["lambda_ip"] and variables["lambda_tags"] == {
        "gh200:fleet": "r1",
        "gh200:node": "r1-01",
    }
    assert said == []


def test_an_empty_account_has_the_groups_of_the_playbooks(hosts, account, cloud):
    account()
    inventory = hosts()
    assert cloud.calls() == [LIST]
    assert {"head", "workers", "lambda_not_ready"} <= set(inventory.groups) and names(inventory) == []


def test_a_launched_fleet_is_there_as_launched(hosts, cloud, act, tmp_path, monkeypatch):
    monkeypatch.undo()
    del cloud.cloud.instances
    monkeypatch.setattr("ansible.constants.INVENTORY_ANY_UNPARSED_IS_FAILED", True)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    fleet = act(
        "lambda_fleet",
        name="r1",
        size=2,
        region="us-east-3",
        ssh_key_name="laptop",
        filesystems=["shared"],
        wait_for_ssh=False,
        poll_interval=0.01,
        max_life=3600,
        state_dir=str(tmp_path / "state"),
        **cloud.options,
    )
    cloud.calls()
    inventory = hosts()
    assert (
        cloud.calls() == [LIST] and names(inventory, "head") == ["r1-00"] and names(inventory, "workers") == ["r1-01"]
    )
    head = inventory.get_host("r1-00").vars
    assert head["lambda_id"] == fleet["fleet"]["nodes"][0]["id"] and head["lambda_file_system_names"] == ["shared"]
    assert head["ansible_ssh_common_args"].startswith(f"-o UserKnownHostsFile={tmp_path}/state/r1/known_hosts ")
    assert head["lambda_launched"] < head["lambda_expires"]


# -- filters


@pytest.mark.parametrize("how", [{"fleet": "r1"}, {"extra": {"gh200_fleet": "r1"}}])
def test_one_fleet_is_chosen_to_the_letter(hosts, account, said, how):
    account(node(0), node(0, "r1-prod"), node(0, "r"), raw("stranger", "r1-02"))
    inventory = hosts(**how)
    assert names(inventory) == names(inventory, "head") == ["r1-00"] and said == []


def test_two_fleets_do_not_mix_and_are_named(hosts, account, said):
    account(node(0), node(1), node(0, "v3"), raw("stranger", "web"))
    inventory = hosts()
    assert names(inventory, "head") == names(inventory, "workers") == []
    assert names(inventory, "gh200_r1") == ["r1-00", "r1-01"] and names(inventory, "gh200_v3") == ["v3-00"]
    assert len(said) == 1 and said[0].startswith(
        "WARNING These are nodes of several fleets, r1, v3, so the groups head and workers stay empty"
    )


UNREADY = [
    node(0),
    node(1, status="booting", ip=None, private_ip=None, hostname=None),
    node(2, status="unhealthy"),
    node(3, status="preempted"),
    node(4, status="of-next-year"),
    node(5, status="terminating"),
    node(6, status="terminated"),
    raw("stranger", "web", status="booting"),
]


def test_by_default_what_is_not_usable_is_left_out_and_nodes_are_named(hosts, account, said):
    account(*UNREADY)
    inventory = hosts()
    assert names(inventory) == ["r1-00"]
    words = (
        "r1-01 (id-r1-01) is booting, r1-02 (id-r1-02) is unhealthy, r1-03 (id-r1-03) is preempted, "
        "r1-04 (id-r1-04) is of-next-year."
    )
    assert len(said) == 1 and words in said[0]


def test_every_status_but_the_terminated_can_be_there(hosts, account, said):
    account(*UNREADY)
    inventory = hosts(statuses=[])
    assert names(inventory) == ["r1-00", "r1-01", "r1-02", "r1-03", "r1-04", "web"]
    assert names(inventory, "lambda_not_ready") == ["r1-01", "r1-02", "r1-03", "r1-04", "web"]
    assert [host.vars["lambda_status"] for host in inventory.get_hosts("workers")] == [
        "booting",
        "unhealthy",
        "preempted",
        "of-next-year",
    ]
    assert [host.name for host in inventory.get_hosts("workers:!lambda_not_ready")] == []
    assert "ansible_host" not in inventory.get_host("r1-01").vars
    assert said == ["r1-01 (id-r1-01, booting) has no public address, so it gets no ansible_host."]


def test_statuses_are_chosen_to_the_letter(hosts, account):
    account(*UNREADY)
    assert names(hosts(statuses=["unhealthy", "terminated"])) == ["r1-02"]


def test_regions_and_types_are_chosen_to_the_letter(hosts, account):
    account(
        raw("a", "a"),
        raw("b", "b", region={"name": "us-west-1"}),
        raw("c", "c", instance_type=KIND | {"name": "gpu_8x_h100"}),
    )
    assert names(hosts(regions=["us-west-1"])) == ["b"]
    assert names(hosts(instance_types=["gpu_8x_h100", "gpu_1x"])) == ["c"]
    assert names(hosts(regions=["us-west-1"], instance_types=["gpu_8x_h100"])) == []


def test_all_conditions_must_hold(hosts):
    assert names(hosts(filters=["lambda_fleet == 'r1'", "lambda_node is match('.*-01')"])) == ["r1-01"]
    assert names(hosts(filters=["lambda_fleet == ''"])) == ["web"]


def test_a_condition_that_cannot_be_evaluated_does_not_hold_or_is_an_error(hosts, said):
    assert names(hosts(filters=["lambda_tags.none > 1"])) == []
    assert any(
        "The filter 'lambda_tags.none > 1' cannot be evaluated for the instance id-r1-00" in line for line in said
    )
    with pytest.raises(AnsibleError):
        hosts(filters=["lambda_tags.none > 1"], strict=True)


# -- names and addresses


def test_the_private_address_may_be_the_one(hosts, account, said):
    account(node(0), node(1, private_ip=None))
    inventory = hosts(connect_with="private", compose={"ansible_host": "lambda_private_ip or lambda_ip"})
    assert inventory.get_host("r1-00").vars["ansible_host"] == inventory.get_host("r1-00").vars["lambda_private_ip"]
    assert inventory.get_host("r1-01").vars["ansible_host"] == inventory.get_host("r1-01").vars["lambda_ip"]
    assert said == ["r1-01 (id-r1-01, active) has no private address, so it gets no ansible_host."]


def test_what_is_no_address_is_not_connected_to(hosts, account):
    account(raw("a", "a", ip="192.0.2.1 -oProxyCommand=id"))
    assert "ansible_host" not in hosts().get_host("a").vars


def test_two_instances_of_one_name_are_two_hosts(hosts, account, said):
    account(raw("id-b", "web"), raw("id-a", "web"), node(0, instance_id="n2"), node(0, instance_id="n1"))
    inventory = hosts()
    assert {host.name: host.vars["lambda_id"] for host in inventory.get_hosts()} == {
        "web": "id-a",
        "web-id-b": "id-b",
        "r1-00": "n1",
        "r1-00-n2": "n2",
    }
    assert said == [
        "WARNING The instance n1 has the name r1-00 already, so the instance n2 is in the inventory as r1-00-n2.",
        "WARNING The instance id-a has the name web already, so the instance id-b is in the inventory as web-id-b.",
    ]


@pytest.mark.parametrize(
    "name", ["all", "head", "workers", "ungrouped", "gh200_r1", "lambda_not_ready", "mine", "localhost", "127.0.0.1"]
)
def test_an_instance_that_is_named_like_a_group_or_the_control_node_takes_nothing_over(hosts, account, said, name):
    account(node(0), raw("stranger", name))
    inventory = hosts(compose={"gh200_address": "lambda_private_ip"}, groups={"mine": "lambda_id == 'stranger'"})
    assert sorted(names(inventory)) == sorted(["r1-00", f"{name}-stranger"])
    assert all(
        "ansible_host" not in group.vars and "gh200_address" not in group.vars for group in inventory.groups.values()
    )
    assert names(inventory, "mine") == [f"{name}-stranger"] and names(inventory, "head") == ["r1-00"]
    assert said == [
        f"WARNING A group, or the control node, has the name {name} already, "
        f"so the instance stranger is in the inventory as {name}-stranger."
    ]


def test_a_host_that_is_named_like_a_keyed_group_keeps_its_variables(hosts, account):
    account(raw("a", "region_us_east_3"), raw("b", "b"))
    inventory = hosts(keyed_groups=[{"key": "lambda_region", "prefix": "region"}], compose={"me": "lambda_id"})
    assert (
        names(inventory, "region_us_east_3") == ["b", "region_us_east_3"]
        and inventory.groups["region_us_east_3"].vars == {}
    )
    assert inventory.get_host("region_us_east_3").vars["me"] == "a"


def test_a_name_may_be_made_by_a_template(hosts, account, said):
    account(raw("a", "web"), raw("b", "../x"), raw("c", ""))
    assert sorted(names(hosts(hostname="{{ lambda_region }}-{{ lambda_name }}"))) == [
        "us-east-3-",
        "us-east-3-.._x",
        "us-east-3-web",
    ]
    assert sorted(names(hosts(hostname="{{ lambda_name }}"))) == [".._x", "c", "web"]
    assert said == []


def test_a_name_that_cannot_be_made_is_the_default_or_an_error(hosts, said):
    assert names(hosts(hostname="{{ lambda_tags.none }}")) == ["r1-00", "r1-01", "web"]
    assert any("The hostname '{{ lambda_tags.none }}' cannot be evaluated" in line for line in said)
    for options in ({"hostname": "{{ lambda_tags.none }}", "strict": True}, {"hostname": "lambda_name"}):
        with pytest.raises(AnsibleError):
            hosts(**options)
    assert "which gives all hosts one name: write a template, as '{{ lambda_name }}'" in said[-1] + "".join(said)


INJECTED = "{{ 7*7 }}"
OVERRIDE = "#jinja2:variable_start_string:'[[',variable_end_string:']]'\n[[ 7*7 ]]"


def test_names_and_tags_are_never_templates(hosts, account, source):
    account(
        raw(
            "a",
            INJECTED,
            {"x": INJECTED, "y": "{% if 1 %}49{% endif %}", "z": OVERRIDE, "k1": "{", "k2": "{ 7*7 }}"},
            hostname=INJECTED,
        )
    )
    made = hosts(
        compose={"copied": "lambda_name", "joined": "lambda_tags.k1 ~ lambda_tags.k2"},
        groups={"hit": "lambda_name == '49' or lambda_tags.x == '49'"},
        keyed_groups=[{"key": "lambda_tags.x"}],
        hostname="{{ lambda_name }}",
    )
    assert names(made) == [INJECTED] and "hit" not in made.groups and "_49" not in made.groups
    host = made.get_host(INJECTED).vars
    assert (host["copied"], host["joined"]) == (INJECTED, INJECTED)
    shown = "{{ [inventory_hostname, lambda_tags.x, lambda_tags.y, lambda_tags.z, copied, joined] | join }}"
    play = yaml.safe_dump(
        [{"hosts": "all", "gather_facts": False, "tasks": [{"ansible.builtin.debug": {"msg": shown}}]}]
    )
    path = Path(source(compose={"copied": "lambda_name", "joined": "lambda_tags.k1 ~ lambda_tags.k2"}))
    (path.parent / "play.yml").write_text(play, encoding="utf-8")
    run = ansible("ansible-playbook", str(path), str(path.parent / "play.yml"))
    assert run.returncode == 0 and "49" not in run.stdout.replace("192.0.2", "").replace(INJECTED, "").replace(
        "{% if 1 %}49", ""
    )


def test_the_token_of_jupyter_is_nowhere(cached, tmp_path):
    inventory = cached(statuses=[])
    assert "planted" not in json.dumps([host.vars for host in inventory.get_hosts()])
    assert cached.files() and all("planted" not in path.read_text(encoding="utf-8") for path in cached.files())


# -- constructed


def test_variables_and_groups_of_the_user_are_constructed(hosts):
    inventory = hosts(
        compose={"gh200_address": "lambda_private_ip", "dear": "lambda_price_per_hour > 2"},
        groups={"cheap": "lambda_price_per_hour < 3", "none": "lambda_gpus > 1"},
        keyed_groups=[{"key": "lambda_region", "prefix": "in"}, {"key": "lambda_tags", "prefix": "tag"}],
    )
    web = inventory.get_host("web").vars
    assert web["gh200_address"] == web["lambda_private_ip"] and web["dear"] is True
    assert (
        names(inventory, "cheap") == names(inventory, "in_us_east_3") == ["r1-00", "r1-01", "web"]
        and "none" not in inventory.groups
    )
    assert names(inventory, "tag_gh200_node_r1_01") == ["r1-01"]


@pytest.mark.parametrize(
    "option",
    [{"compose": {"x": "none.such"}}, {"groups": {"x": "none.such"}}, {"keyed_groups": [{"key": "none.such"}]}],
)
def test_strict_is_asked_everywhere(hosts, option):
    assert names(hosts(**option)) == ["r1-00", "r1-01", "web"]
    with pytest.raises(AnsibleError):
        hosts(strict=True, **option)


@pytest.mark.parametrize("number", range(3))
def test_the_examples_work(hosts, tmp_path, number, cloud):
    example = list(yaml.safe_load_all(lambda_cloud.EXAMPLES))[number]
    if "cache" in example:
        example["cache_connection"] = str(tmp_path / "cache")
    assert (
        names(hosts(**example))
        == [["r1-00", "r1-01", "web"], ["r1-00", "r1-01"], ["us-east-3-r1-00", "us-east-3-r1-01", "us-east-3-web"]][
            number
        ]
    )
    assert cloud.calls() == [LIST]


# -- cache


def test_a_cached_run_makes_no_call_and_needs_no_key(cached, account, cloud):
    assert names(cached()) == ["r1-00", "r1-01", "web"] and cloud.calls() == [LIST]
    account()
    assert names(cached(api_key=None)) == names(cached()) == ["r1-00", "r1-01", "web"]
    assert cloud.calls() == []


def test_the_cache_is_filtered_when_it_is_read(cached, cloud):
    cached(fleet="r1")
    assert names(cached()) == ["r1-00", "r1-01", "web"] and cloud.calls() == [LIST]


def test_a_refresh_makes_one_call_and_is_cached(cached, account, cloud):
    cached()
    account(raw("new", "new"))
    assert names(cached(refresh=True)) == names(cached()) == ["new"]
    assert cloud.calls() == [LIST, LIST]


def test_refresh_inventory_makes_one_call(cached, account, cloud):
    inventory = cached()
    account(raw("new", "new"))
    inventory.refresh_inventory()
    assert names(inventory) == ["new"] and cloud.calls() == [LIST, LIST]


def test_without_a_cache_every_run_makes_one_call(hosts, cloud):
    hosts()
    hosts()
    assert cloud.calls() == [LIST, LIST]


def entry(cached):
    """The file of the cache, and what the plugin has put there."""
    (file,) = cached.files()
    return file, json.loads(json.loads(file.read_text(encoding="utf-8"))["__payload__"])


def test_the_cache_is_what_the_api_said_as_plain_json(cached):
    cached()
    file, content = entry(cached)
    listed = (node(0), node(1), raw("stranger", "web"))
    assert content["instances"] == [
        {key: value for key, value in item.items() if not key.startswith("jupyter")} for item in listed
    ]
    assert "secret_test" not in file.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"7",
        b"null",
        b'"text"',
        b"{}",
        b'[{"id": "old"}]',
        b'{"__payload__": 7}',
        b'{"__payload__": "{"}',
        b"\xff",
    ],
)
def test_a_damaged_cache_is_fetched_anew(cached, cloud, content):
    cached()
    entry(cached)[0].write_bytes(content)
    assert names(cached()) == ["r1-00", "r1-01", "web"] and cloud.calls() == [LIST, LIST]
    assert names(cached()) == ["r1-00", "r1-01", "web"] and cloud.calls() == []


@pytest.mark.parametrize(
    "change",
    [
        lambda known: [{"id": "old"}],
        lambda known: known["instances"],
        lambda known: {},
        lambda known: None,
        lambda known: known | {"instances": [{"name": "no id"}]},
        lambda known: known | {"instances": {}},
        lambda known: known | {"api_url": "https://cloud.lambda.ai/api/v1"},
        lambda known: known | {"key": "0" * 16},
        lambda known: known | {"key": None},
    ],
)
def test_a_foreign_cache_is_fetched_anew(cached, cloud, change):
    cached()
    file, known = entry(cached)
    file.write_text(json.dumps({"__payload__": json.dumps(change(known))}), encoding="utf-8")
    assert names(cached()) == ["r1-00", "r1-01", "web"] and cloud.calls() == [LIST, LIST]
    assert names(cached()) == ["r1-00", "r1-01", "web"] and cloud.calls() == []


def test_the_cache_of_another_account_is_not_used(cached, start, cloud):
    cached()
    other = start()
    assert names(cached(api_url=other.url)) == [] and other.calls() == [LIST]
    with pytest.raises(AnsibleError):
        cached(api_key="secret_of_another")
    assert cloud.calls() == [LIST, LIST]


# -- the command


def ansible(command, path, *words, **environment):
    """A run of a command of Ansible as in a checkout."""
    argv = [Path(sys.executable).parent / command, "-i", path, *words]
    return subprocess.run(
        argv,
        cwd=REPOSITORY,
        env={**os.environ, "ANSIBLE_NOCOLOR": "1", **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_list_has_plain_strings(source, account, cloud):
    run = ansible("ansible-inventory", source(compose={"gh200_address": "lambda_private_ip"}), "--list", "-vvv")
    assert run.returncode == 0 and cloud.calls() == [LIST]
    listed = json.loads(run.stdout[run.stdout.index("{\n") :])
    head = listed["_meta"]["hostvars"]["r1-00"]
    assert (
        head["ansible_host"] == "192.0.2.8"
        and head["lambda_tags"] == {"gh200:fleet": "r1", "gh200:node": "r1-00"}
        and head["lambda_file_system_names"] == []
    )
    assert head["gh200_address"] == head["lambda_private_ip"] and "__ansible_unsafe" not in run.stdout
    assert listed["head"]["hosts"] == ["r1-00"] and listed["workers"]["hosts"] == ["r1-01"]
    assert "planted" not in run.stdout + run.stderr and cloud.key not in run.stdout + run.stderr


def test_testinfra_reads_the_variables(source, account, monkeypatch):
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    runner = AnsibleRunner(source(compose={"gh200_address": "lambda_private_ip"}))
    variables = runner.get_variables("r1-00")
    assert runner.get_hosts("workers") == ["r1-01"]
    assert (variables["ansible_host"], variables["gh200_address"], variables["lambda_node"]) == (
        "192.0.2.8",
        "10.0.0.8",
        "r1-00",
    )


def test_graph_shows_the_groups(source, account, cloud):
    run = ansible("ansible-inventory", source(), "--graph")
    assert run.returncode == 0 and cloud.calls() == [LIST] and run.stderr == ""
    assert "  |--@head:\n  |  |--r1-00\n" in run.stdout and "  |--@gh200_r1:\n" in run.stdout


def test_host_shows_the_variables(source, account, cloud):
    run = ansible("ansible-inventory", source(), "--host", "web")
    assert run.returncode == 0 and cloud.calls() == [LIST]
    assert json.loads(run.stdout)["lambda_id"] == "stranger"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"flet": "r1"}, "flet in PATH is no option of gh200.inference.lambda_cloud: did you mean fleet?"),
        (
            {"zzz": 1, "yyy": 2},
            "yyy, zzz in PATH is no option of gh200.inference.lambda_cloud: "
            "ansible-doc -t inventory gh200.inference.lambda_cloud lists them.",
        ),
        ({"request_interval": float("nan")}, "request_interval is nan, and must be a number from 0 to 315360000."),
        ({"launch_interval": True}, "launch_interval is True, and must be a number from 0 to 315360000."),
        ({"request_timeout": "1e18"}, "request_timeout is 1e18, and must be a number from 0 to 315360000."),
        ({"api_key": None}, "There is no Lambda API key."),
    ],
)
@pytest.mark.parametrize("configuration", [None, "[defaults]\n"])
def test_its_own_sentence_is_the_last_thing_that_is_read(source, cloud, tmp_path, options, words, configuration):
    """With the settings of this checkout, and with none."""
    path = source(**options)
    environment = {"COLUMNS": "1000"}
    if configuration:
        (tmp_path / "ansible.cfg").write_text(configuration, encoding="utf-8")
        environment["ANSIBLE_CONFIG"] = str(tmp_path / "ansible.cfg")
    run = ansible("ansible", path, "all", "--list-hosts", **environment)
    last = run.stderr.strip().splitlines()[-1]
    assert (
        last.startswith(f"[ERROR]: The inventory {path} has no hosts: " + words.replace("PATH", path))
        and cloud.calls() == []
    )


def test_an_inventory_that_was_mended_says_nothing_at_the_end(source, account):
    path = source(api_key=None)
    with pytest.raises(AnsibleError):
        InventoryManager(DataLoader(), sources=[path])
    failed = dict(lambda_cloud.inventory_file.FAILED)
    source()
    InventoryManager(DataLoader(), sources=[path])
    assert list(failed) == [path] and path not in lambda_cloud.inventory_file.FAILED


@pytest.mark.parametrize(
    ("options", "fault", "words"),
    [
        ({"api_key": None}, None, "There is no Lambda API key. Export LAMBDA_API_KEY"),
        ({"api_key": "secret_planted"}, None, "401 global/invalid-api-key"),
        (
            {"api_url": "http://127.0.0.1:9/api/v1"},
            None,
            "GET http://127.0.0.1:9/api/v1/instances failed: Connection refused. Check api_url and your connection.",
        ),
        ({}, {"on": LIST, "do": "edge"}, "The network edge refused us, not your account"),
        ({}, {"on": LIST, "do": "refuse", "code": "global/account-inactive"}, "403 global/account-inactive"),
        ({}, {"on": LIST, "do": "garbage", "times": 0}, "not the API, or not at this path: check api_url"),
    ],
)
def test_what_goes_wrong_is_one_sentence_and_a_status(source, cloud, options, fault, words):
    if fault:
        from lab.api.faults import Fault

        cloud.faults.add(Fault(**fault))
    run = ansible("ansible-inventory", source(**options), "--list")
    assert run.returncode != 0 and words in " ".join(run.stderr.split())
    assert "Traceback" not in run.stderr and "secret_" not in run.stderr
