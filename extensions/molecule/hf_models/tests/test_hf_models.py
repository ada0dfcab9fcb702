# SPDX-License-Identifier: GPL-3.0-or-later
"""Each node has its stage, came by it without leaving a server behind, and damage is found and mended."""

import json
import shlex
import urllib.request

import pytest

MODEL = "/home/ubuntu/models/tiny"
SHARED = f"{MODEL}/model-00004-of-00007.safetensors"  # layer 2
TOOLS = "/lambda/nfs/shared/molecule/tools"


def manifest(host):
    return json.loads(host.file(f"{MODEL}/.gh200-manifest.json").content_string)


def stage(host):
    """The layers that converge.yml gives to this host."""
    variables = host.ansible.get_variables()
    return [0, 2] if variables["inventory_hostname"] in variables["groups"]["head"] else [2, 4]


def program(host, models, *more):
    """The command of the role's job; without peers."""
    endpoint = host.ansible.get_variables()["gh200_hub_endpoint"]
    command = f"$(ls -d {TOOLS}/hf-*)/bin/python -I -m hf_fetch {shlex.quote(json.dumps(models))} {' '.join(more)}"
    return host.run(f"cd / && sudo -u ubuntu HF_ENDPOINT={endpoint} {command}")


def fetch(host, *more):
    """The model of this host."""
    found = manifest(host)
    model = {key: found[key] for key in ("repository", "revision")} | {"path": MODEL, "layers": stage(host)}
    return program(host, [model], "--pause=1", *more)


@pytest.fixture(name="hub")
def hub_with_faults(host):
    """hub(fault ..): what the hub does from now on, until the end of the test."""

    def put(*faults):
        url = host.ansible.get_variables()["gh200_hub_endpoint"] + "/lab/faults"
        urllib.request.urlopen(urllib.request.Request(url, json.dumps(faults).encode(), method="PUT"), timeout=10)

    yield put
    put()


def test_every_file_of_the_stage_is_there_and_no_other(host):
    files = manifest(host)["files"]
    numbers = sorted(name[6:11] for name in files if name.endswith(".safetensors"))
    assert numbers == (
        ["00001", "00002", "00003", "00004", "00005", "00007"]
        if stage(host)[0] == 0
        else ["00003", "00004", "00005", "00006", "00007"]
    )
    lying = host.check_output(f"cd {MODEL} && find . -type f ! -name .gh200-manifest.json -printf '%P\n'")
    # The engine is not to see what it would miss.
    assert set(lying.split()) == set(files) - {"model.safetensors.index.json"} | {".gh200-index.json"}
    for name, file in files.items():
        if file["sha256"]:
            assert host.file(f"{MODEL}/{name}").sha256sum == file["sha256"]


def test_files_belong_to_the_user(host):
    assert host.file(SHARED).user == "ubuntu"


def test_no_server_is_left_and_the_package_has_none(host):
    assert host.run("pgrep -x nginx").rc == 1
    for port in (80, 8612):
        assert not host.socket(f"tcp://{port}").is_listening
    assert host.run("systemctl is-enabled nginx").stdout.strip() == "disabled"
    assert host.run("systemctl is-active nginx").stdout.strip() == "inactive"
    assert host.check_output("systemctl show nginx --property ActiveEnterTimestampMonotonic --value") == "0"


@pytest.mark.parametrize("damage", ["rm {}", "truncate -s -1 {}", "sh -c 'echo x | dd of={} bs=1 seek=9 conv=notrunc'"])
def test_damage_is_noticed_named_and_mended(host, damage):
    assert fetch(host, "--check").rc == 0
    host.check_output(damage.format(SHARED))
    assert fetch(host, "--check").rc == 1
    result = fetch(host)
    assert result.rc == 0 and f"{SHARED} " in result.stdout and "it is fetched anew" in result.stdout
    assert host.file(SHARED).sha256sum == manifest(host)["files"][SHARED.rpartition("/")[2]]["sha256"]
    assert fetch(host, "--check").rc == 0


def test_a_hub_that_is_down_in_the_middle_and_then_asks_for_patience(host, hub):
    host.check_output(f"rm {SHARED}")
    hub(
        {"match": "00004-of", "drop_after": 100000, "times": 1},
        {"match": "resolve", "status": 503, "times": 2},
        {"match": "resolve", "status": 429, "retry_after": 1, "times": 2},
    )
    result = fetch(host)
    assert result.rc == 0 and "the hub is asked again in 1 s" in result.stdout
    assert fetch(host, "--check").rc == 0


def test_a_hub_that_stays_down_is_one_sentence_at_the_end(host, hub):
    host.check_output(f"rm {SHARED}")
    hub({"match": "resolve", "status": 503})
    result = fetch(host, "--timeout=8")
    assert result.rc == 1 and "Traceback" not in result.stderr
    last = result.stderr.strip().splitlines()[-1]
    assert "00004-of-00007.safetensors missing" in last and "it answered 503" in last and "run it again" in last
    hub()
    assert fetch(host).rc == 0


def test_an_unknown_model_is_one_sentence(host):
    result = program(host, [{"repository": "gh200/nothing", "revision": "main", "path": "/tmp/nothing"}])
    assert result.rc == 1
    assert "the hub does not know this model" in result.stderr
    assert "Traceback" not in result.stderr
