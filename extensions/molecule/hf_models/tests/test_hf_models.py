# SPDX-License-Identifier: GPL-3.0-or-later
"""The files are whole, and damage is found and mended."""

import json

MODEL = "/home/ubuntu/models/tiny"
SHARD = f"{MODEL}/model-00002-of-00003.safetensors"


def manifest(host):
    return json.loads(host.file(f"{MODEL}/.gh200-manifest.json").content_string)


def fetch(host, *more):
    """The command of the role, as its job has it."""
    files = manifest(host)
    tool = host.check_output("ls -d /lambda/nfs/shared/molecule/tools/hf-*")
    endpoint = host.ansible.get_variables()["gh200_hub_endpoint"]
    command = f"{tool}/bin/python {tool}/hf_fetch.py {files['repository']} {files['revision']} {MODEL} {' '.join(more)}"
    return host.run(f"sudo -u ubuntu HF_ENDPOINT={endpoint} {command}")


def test_every_file_has_its_checksum(host):
    files = manifest(host)["files"]
    assert len([name for name in files if name.endswith(".safetensors")]) == 3
    for name, file in files.items():
        if file["sha256"]:
            assert host.file(f"{MODEL}/{name}").sha256sum == file["sha256"]


def test_files_belong_to_the_user(host):
    assert host.file(SHARD).user == "ubuntu"


def test_a_shard_that_is_gone_is_noticed_and_fetched_again(host):
    assert fetch(host, "--check").rc == 0
    host.check_output(f"rm {SHARD}")
    assert fetch(host, "--check").rc == 1
    assert fetch(host).rc == 0
    assert host.file(SHARD).sha256sum == manifest(host)["files"]["model-00002-of-00003.safetensors"]["sha256"]


def test_an_unknown_model_is_one_sentence(host):
    tool = host.check_output("ls -d /lambda/nfs/shared/molecule/tools/hf-*")
    endpoint = host.ansible.get_variables()["gh200_hub_endpoint"]
    result = host.run(f"HF_ENDPOINT={endpoint} {tool}/bin/python {tool}/hf_fetch.py gh200/nothing main /tmp/nothing")
    assert result.rc == 1
    assert "the hub does not know this model" in result.stderr
    assert "Traceback" not in result.stderr
