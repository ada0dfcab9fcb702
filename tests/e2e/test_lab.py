# SPDX-License-Identifier: GPL-3.0-or-later
"""The main job, end to end: from nothing to tokens, again without a change, and back to nothing.

The tests are one story and run in the order of this file.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import urllib.error
import urllib.request
from pathlib import Path

import pytest
import yaml

from lab.config import API_PORT, PRIVATE
from tests.bench.record import counted, lines, recording
from tests.e2e import key_places, outside, reference, ways
from tests.e2e.outsider import outsider
from tests.e2e.running import BIN, ENDPOINT, REPOSITORY, Server, on, playbook, shown
from tests.healing.service import Service

KEPT = REPOSITORY / ".lab/cache/wheelhouse"
NODES = int(os.environ.get("NODES", "4"))
# What a run may ask of a host that finds nothing to do; what it does not need is skipped, which costs a fifth.
MOST_TASKS = {"worker": 12, "head": 20, "localhost": 8}
MOST_SKIPPED = 20
# Where the engine would cut 2,3 and 1,1,1,2 by itself.
STAGES = {1: "0-4", 2: "0-4", 4: "0-2, 3-4", 8: "0-2, 3-4", 16: "0-1, 2-2, 3-3, 4-4"}


def recap(output):
    """Host to its counts of the last run."""
    rows = re.findall(r"^(\S+)\s+: ok=(\d+)\s+changed=(\d+)\s+unreachable=(\d+)\s+failed=(\d+)", output, re.MULTILINE)
    return {
        host: {"changed": int(changed), "failed": int(failed) + int(away)}
        for host, dummy, changed, away, failed in rows
    }


def hostvars():
    listed = subprocess.run(
        [BIN / "ansible-inventory", "-i", "inventory/lab", "--list"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return json.loads(listed)["_meta"]["hostvars"]


def instances():
    """What the account pays for, asked of the API without our client."""
    settings = yaml.safe_load((REPOSITORY / "inventory/lab/lambda_cloud.yml").read_text(encoding="utf-8"))
    request = urllib.request.Request(f"{settings['api_url']}/instances")
    request.add_header("Authorization", f"Bearer {Path(settings['api_key_file']).read_text(encoding='utf-8').strip()}")
    with urllib.request.urlopen(request) as answer:
        return [item for item in json.load(answer)["data"] if item["status"] != "terminated"]


def left_on_this_machine():
    """Links, namespaces, tables and groups of nodes; those of a lab in another folder too."""

    def said(*command):
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    groups = [
        group
        for pattern in ("gh200lab", "gh200lab/node-*", "*/gh200lab", "*/gh200lab/node-*")
        for group in Path("/sys/fs/cgroup").glob(pattern)
    ]
    return {
        *re.findall(r"^gh(?:200|eth)[^\s@]*", said("ip", "-brief", "link"), re.MULTILINE),
        *re.findall(r"^gh200-\S*", said("ip", "netns"), re.MULTILINE),
        *re.findall(r"\S*gh200lab\S*", said("nft", "list", "tables")),
        *map(str, groups),
    }


def put_on_the_share():
    """The wheels that this machine has kept, where the nodes find them and the control node does not look.

    Where it has none, they are compiled.
    """
    if KEPT.is_dir():
        share = REPOSITORY / ".lab/share/shared"
        shutil.copytree(KEPT, share / "gh200/wheelhouse")
        # The user of the nodes.
        for path in (share, *share.rglob("*")):
            os.chown(path, 1000, 1000)


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """A lab that was made from nothing, by a control node that knows of no wheels.

    A lab in another folder may run beside it.
    """
    assert shown("make", "--no-print-directory", "lab-down")[0] == 0
    beside = left_on_this_machine()
    put_on_the_share()
    wheelhouse = tmp_path_factory.mktemp("wheelhouse")
    status, output = shown(
        "make", "--no-print-directory", "lab", f"NODES={NODES}", f"EXTRA=-e gh200_wheel_cache={wheelhouse}"
    )
    assert status == 0
    # What was compiled, for the next lab.
    for made in wheelhouse.iterdir():
        if not (KEPT / made.name).exists():
            shutil.copytree(made, KEPT / made.name)
    url, model, key_file = ENDPOINT.fullmatch(output.strip().splitlines()[-1]).groups()
    key = (REPOSITORY / key_file).read_text(encoding="utf-8").strip()
    yield {
        "url": url,
        "model": model,
        "key": key,
        "key_file": REPOSITORY / key_file,
        "output": output,
        "wheelhouse": wheelhouse,
        "beside": beside,
    }
    shown("make", "--no-print-directory", "lab-down")


def complete(lab, key):
    """Events of a streamed chat completion."""
    body = {
        "model": lab["model"],
        "stream": True,
        "max_tokens": 8,
        "ignore_eos": True,
        "stream_options": {"include_usage": True},
        "messages": [{"role": "user", "content": "Hello"}],
    }
    request = urllib.request.Request(
        f"{lab['url']}/chat/completions", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    if key:
        request.add_header("Authorization", f"Bearer {key}")
    with urllib.request.urlopen(request, timeout=120) as answer:
        return [json.loads(line[6:]) for line in answer if line.startswith(b"data: {")]


def test_tokens_are_streamed_by_the_real_engine(lab):
    events = complete(lab, lab["key"])
    assert len(events) > 3
    assert events[-1]["usage"]["completion_tokens"] == 8
    with urllib.request.urlopen(f"{lab['url'].removesuffix('/v1')}/version") as answer:
        assert json.load(answer)["version"].startswith("0.7.2")


def test_every_answer_is_that_of_transformers(lab):
    assert reference.check(Server(lab["url"], lab["model"], lab["key"]), reference.load()) == []


def test_make_lab_ends_with_a_right_answer(lab):
    assert "The capital of France is Paris." in lab["output"].splitlines()[-6:]
    assert f'on {NODES} nodes were given one environment; layers by stage: {STAGES[NODES]}"' in lab["output"]


def test_one_node_builds_and_the_others_come_when_there_is_something_for_them_to_do(lab):
    said = lab["output"]
    both = [
        f"No wheels yet. build_first: 1 node for about 45 min, then {NODES}: about $",
        f"at_once: {NODES} nodes from the start: about $",
        "Doing build_first; -e gh200_growth=at_once for the other.",
    ]
    told = [
        said.index(line) for line in (both if NODES > 1 else ["No wheels yet: the node builds them. 1 node: about $"])
    ]
    steps = [f"[r1] launched r1-{number:02d} (" for number in range(NODES)]
    built, served = "TASK [gh200.inference.venv : Point the link at", "TASK [gh200.inference.vllm_serve : Show it, and"
    places = [said.index(step) for step in (steps[0], built, *steps[1:], served)]
    assert told + places == sorted(told + places)
    # Last of all a copy for the next fleet.
    assert said.index(": Fetch the wheel]") > places[-1]
    assert list(lab["wheelhouse"].glob("*/SHA256SUMS")) and not list(lab["wheelhouse"].glob("*.part"))


def test_the_hub_sent_the_weights_once_to_the_whole_fleet(lab):
    values = yaml.safe_load((REPOSITORY / "inventory/lab/group_vars/all.yml").read_text(encoding="utf-8"))
    with urllib.request.urlopen(f"{values['gh200_hub_endpoint']}/lab/counts") as answer:
        sent = {path: counts for path, counts in json.load(answer).items() if path.endswith(".safetensors")}
    shards = (REPOSITORY / ".lab/cache/hub/repos/gh200/DeepSeek-V3-tiny").glob("*.safetensors")
    sizes = [path.stat().st_size for path in shards]
    # The head has its stage before the others are there, and gives it to those that share it.
    assert len(sent) == len(sizes) > 1
    assert sum(sizes) <= sum(sum(counts.values()) for counts in sent.values()) <= 1.05 * sum(sizes), sent


@pytest.mark.parametrize("check", outside.CHECKS, ids=lambda check: check.__name__)
def test_a_client_gets_what_it_asks_for(lab, check):
    check(Server(lab["url"], lab["model"], lab["key"]))


def test_without_the_key_it_is_refused(lab):
    with pytest.raises(urllib.error.HTTPError) as refusal:
        complete(lab, None)
    assert refusal.value.code == 401


def test_every_node_has_a_worker_and_no_process_shows_a_secret(lab):
    values = yaml.safe_load((REPOSITORY / "inventory/lab/group_vars/all.yml").read_text(encoding="utf-8"))
    secrets = [lab["key"], Path(values["gh200_lambda"]["api_key_file"]).read_text(encoding="utf-8").strip()]
    nodes = hostvars()
    assert len(nodes) == NODES
    for name, variables in nodes.items():
        processes = on(variables, "ps -ww -eo args; sudo sh -c 'cat /proc/[0-9]*/cmdline' 2>/dev/null | tr '\\0' ' '")
        assert "ray::" in processes, f"no Ray worker on {name}"
        assert not [secret for secret in secrets if secret in processes], (
            f"a secret stands in the process list of {name}"
        )
        # What is looked for is no argument here: sudo writes these into the journal.
        held = on(
            variables, "sudo grep -rlsF -f - /etc /home /var/log /run /var/lib /root /tmp || true", secrets[1]
        ).split()
        assert not held, f"the Lambda key lies on {name}: {held}"
        assert key_places.places(variables, [lab["key"]]) == [], name
    assert key_places.is_held(nodes["r1-00"], lab["key"])


def test_no_secret_is_in_the_output(lab):
    assert lab["key"] not in lab["output"]
    assert lab["key_file"].stat().st_mode & 0o077 == 0


def test_inventory_has_one_head_and_workers(lab):
    graph = subprocess.run(
        [BIN / "ansible-inventory", "-i", "inventory/lab", "--graph"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    head = graph.split("@head:")[1].split("@")[0]
    workers = graph.split("@workers:")[1].split("@")[0]
    assert re.findall(r"r1-\d+", head) == ["r1-00"]
    assert len(re.findall(r"r1-\d+", workers)) == NODES - 1


def test_only_ssh_answers_from_outside(lab):
    nodes = hostvars()
    with outsider() as beside:
        for variables in nodes.values():
            listens = ways.listening(variables)
            # Or the table would say nothing: Ray and vLLM do listen on all interfaces.
            assert len(listens["*"]) > 5, listens
            for address in (variables["lambda_ip"], variables["gh200_address"]):
                assert beside.open_ports(address) == [22], address


def test_the_api_answers_those_who_are_named(lab):
    assert lab["url"].startswith(f"http://{PRIVATE}.")
    with urllib.request.urlopen(f"{lab['url'].removesuffix('/v1')}/version") as answer:
        assert answer.status == 200


def test_every_port_answers_the_fleet(lab):
    nodes = hostvars()
    asking = nodes[max(nodes)]
    for variables in nodes.values():
        ports = set().union(*(ways.listening(variables).get(key, set()) for key in ("*", variables["gh200_address"])))
        # A worker may have ended in between; the fence would refuse all of them.
        refused = ports - ways.reached(asking, variables["gh200_address"], ports)
        assert not refused & set().union(*ways.listening(variables).values()), (variables["gh200_address"], refused)


def test_the_fence_is_the_only_table_that_was_made(lab):
    for variables in hostvars().values():
        assert ways.on(variables, "sudo nft list tables").split() == ["table", "inet", "gh200_fence"]


def test_ssh_knows_the_nodes_by_their_names(lab):
    config = ways.STATE / "r1/ssh_config"
    assert config.stat().st_mode & 0o777 == 0o600
    for name in hostvars():
        said = subprocess.run(
            ["ssh", "-F", config, name, "hostname"],
            capture_output=True,
            text=True,
            check=True,
            stdin=subprocess.DEVNULL,
        ).stdout
        assert said.strip() == name


def test_the_shell_functions_work_as_written(lab):
    assert sorted(re.findall(r"^(\S+) \| CHANGED", ways.typed("runall nvidia-smi -L"), re.MULTILINE)) == sorted(
        hostvars()
    )
    assert re.findall(r"^(\S+) \| ", ways.typed("runhead 'df -h / | tail -n1'"), re.MULTILINE) == ["r1-00"]
    assert len(re.findall(r"^\S+ \| CHANGED", ways.typed("runrest uptime || true"), re.MULTILINE)) == NODES - 1
    assert ways.typed("k=0 sshk hostname").strip() == "r1-00"
    assert ways.typed(f"k={NODES - 1} sshk hostname").strip() == f"r1-{NODES - 1:02d}"


def test_the_tunnel_reaches_the_endpoint_and_leaves_no_ssh(lab):
    mine = str(ways.STATE / "r1/ssh_config")
    with ways.tunnel() as tunnel:
        url = re.search(r"http://127\.0\.0\.1:\d+/v1", tunnel.until("API: "))[0]
        dashboard = re.search(r"http://\S+", tunnel.until("dashboard: "))[0]
        assert lab["key"] not in tunnel.until("try: ")
        assert complete(lab | {"url": url}, lab["key"])[-1]["usage"]["completion_tokens"] == 8
        with urllib.request.urlopen(f"{dashboard}/api/version") as answer:
            assert json.load(answer)["ray_version"]
        broken = ways.ssh_with(mine)
        assert len(broken) == 1
        os.kill(broken[0], 15)
        assert "broke" in tunnel.until("broke")
        tunnel.until("open again")
        assert complete(lab | {"url": url}, lab["key"])[-1]["usage"]["completion_tokens"] == 8
    assert ways.wait_until(lambda: not ways.ssh_with(mine))


def test_a_tunnel_in_the_background_is_started_once_and_stopped(lab):
    for wanted, changed in (("started", 1), ("started", 0), ("stopped", 1), ("stopped", 0)):
        status, output = playbook("playbooks/tunnel.yml", "-e", f"gh200_tunnel={wanted}")
        assert status == 0 and recap(output)["r1-00"] == {"changed": changed, "failed": 0}
    assert not ways.ssh_with(str(ways.STATE / "r1/ssh_config"))


def test_second_run_changes_nothing_and_asks_each_node_little(lab, tmp_path):
    record = tmp_path / "record.jsonl"
    status, output = playbook("site.yml", env=os.environ | recording(record))
    assert status == 0
    counts = recap(output)
    assert len(counts) == NODES + 1
    assert not {host: count for host, count in counts.items() if count["changed"] or count["failed"]}
    tasks = counted(lines(record))
    most = {"localhost": MOST_TASKS["localhost"], "r1-00": MOST_TASKS["head"]}
    assert not {host: ran for host, ran in tasks.items() if ran["run"] > most.get(host, MOST_TASKS["worker"])}
    assert not {host: ran for host, ran in tasks.items() if ran["skipped"] > MOST_SKIPPED}


def test_check_mode_predicts_that(lab):
    status, output = playbook("site.yml", "--check", "--diff")
    assert status == 0
    assert not {host: count for host, count in recap(output).items() if count["changed"] or count["failed"]}


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["-e", "gh200_siz=8"], "no role knows it: is gh200_size meant?"),
        (["-e", "gh200_size=0"], "The number of GPUs is 0: 1 is the least"),
        (["-e", "gh200_fleet=other"], "the inventory shows r1: set fleet in the inventory file to other"),
        (["-e", "gh200_size=8", "-e", "gh200_instance_type=gpu_1x_gh20"], "There is no instance type gpu_1x_gh20"),
        (
            [
                "-e",
                '{"gh200_models": {"tiny": {"repository": "gh200/nothing", "revision": "main", "served_name": "x"}}}',
            ],
            "does not know gh200/nothing at main: correct repository and revision in gh200_models",
        ),
        (
            [
                "-e",
                f'{{"gh200_lambda": {{"api_url": "http://127.0.0.1:{API_PORT}/api/v1", "api_key": "wrong", '
                '"request_interval": 0.02}}',
            ],
            "global/invalid-api-key",
        ),
        (["-e", "gh200_size=8", "-e", "gh200_ssh_key_name=lapptop"], "no ssh key named 'lapptop'"),
        (["-e", "gh200_size=2"], "has more nodes than the 2 declared: r1-02, r1-03"),
    ],
)
def test_a_mistake_is_one_sentence_and_costs_nothing(lab, arguments, sentence):
    before = {item["id"] for item in instances()}
    status, output = playbook("playbooks/provision.yml", *arguments)
    assert status != 0
    assert sentence in output
    assert "Traceback" not in output
    assert {item["id"] for item in instances()} == before


def test_status_shows_every_node_and_what_it_costs(lab):
    status, output = playbook("playbooks/status.yml")
    assert status == 0
    assert (
        f"fleet r1: {NODES} nodes, ${2.29 * NODES:.2f}/h" in output
        and len(re.findall(r"r1-\d+: active", output)) == NODES
    )
    assert "dsv3-tiny, TP 2 x PP 2, " in output and ": ready since " in output
    assert len(re.findall(r"r1-\d+: heard \d+ s ago, counted by Ray, 1 rank, GPU 0.0 of 95.6 GiB", output)) == NODES


def test_a_rank_that_dies_while_nobody_asks_is_noticed_named_and_healed(lab):
    service = Service()
    name = service.workers[-1]
    service.signal(name, signal.SIGKILL, service.rank(name))
    service.noticed()
    service.ready()
    assert f"{name}: its rank ended" in service.state()["restarts"][-1]["reason"]
    assert complete(lab, lab["key"])[-1]["usage"]["completion_tokens"] == 8
    assert service.left_over() == []


def test_a_wrong_number_of_nodes_is_one_sentence(lab):
    status, output = shown("make", "--no-print-directory", "lab", "NODES=x")
    assert status != 0
    assert "'x' is not a number of nodes" in output
    assert "Traceback" not in output


def test_teardown_ends_what_costs_and_the_second_time_nothing(lab):
    status, output = playbook("playbooks/teardown.yml")
    assert status == 0
    assert recap(output)["localhost"]["changed"] == 2  # the fleet, and its receipt
    assert instances() == []
    page = Path(re.search(r"receipt: (\S+\.html)", output)[1])
    rows = json.loads(page.with_suffix(".json").read_text(encoding="utf-8"))["nodes"]
    head, *others = sorted(rows, key=lambda row: row["node"])
    assert all(head["from"] < row["from"] and head["minutes"] >= row["minutes"] for row in others), rows
    assert (
        f"fleet r1: {NODES} instances, " in output and page.read_text(encoding="utf-8").count("gpu_1x_gh200") == NODES
    )
    status, output = playbook("playbooks/teardown.yml")
    assert status == 0
    assert recap(output)["localhost"]["changed"] == 0


def test_lab_down_leaves_nothing(lab):
    assert shown("make", "--no-print-directory", "lab-down")[0] == 0
    mounts = Path("/proc/self/mounts").read_text(encoding="utf-8")
    assert left_on_this_machine() - lab["beside"] == set()
    assert f"{REPOSITORY}/.lab" not in mounts
    assert not (REPOSITORY / "inventory/lab").exists()
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            command = (entry / "cmdline").read_bytes()
        except OSError:
            continue
        assert f"{REPOSITORY}/.lab".encode() not in command, f"process {entry.name} of the lab is left: {command}"
