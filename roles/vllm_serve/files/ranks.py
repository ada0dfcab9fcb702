# SPDX-License-Identifier: GPL-3.0-or-later
"""What the processes of all ranks were given: read from them, compared, and the layers of their stages added up.

Rank 0 of vLLM 0.7.2 lives in the process of the unit and the others in Ray's: a partition that only one of them
knows leaves out a layer, without any error. Run by the engine's Python as the engine's user: ranks.py SETTINGS,
a JSON object of address (of Ray), nodes (name to address), layers, stages, unit.
"""

import json
import subprocess
import sys

PREFIXES = ("VLLM_", "NCCL_", "GLOO_")
# A node's own: its address, its name for the network, and the secret that only the server has.
OWN = ("VLLM_HOST_IP", "VLLM_API_KEY", "GLOO_SOCKET_IFNAME", "NCCL_SOCKET_IFNAME")
PARTITION = "VLLM_PP_LAYER_PARTITION"
WORKER = "ray::RayWorker"  # RayWorkerWrapper, and since 0.20 or so RayWorkerProc


def main(text):
    """Print one line when all is right, else end with one sentence."""
    settings = json.loads(text)
    with open(settings["model"] + "/config.json", encoding="utf-8") as file:
        layers = json.load(file)["num_hidden_layers"]
    given = {"rank 0, the process of vllm.service": environment(main_pid(settings["unit"]))}
    for name, found in workers(settings["address"], settings["nodes"]).items():
        given |= {f"{name}, process {pid}": variables for pid, variables in found.items()}
    trouble = differences(given) or left_out(given, layers, settings["stages"])
    if trouble:
        sys.exit(trouble)
    spans = cut(layers, settings["stages"], next(iter(given.values())).get(PARTITION, ""))
    print(
        f"ranks: {len(given)} processes on {len(settings['nodes'])} nodes were given one environment; "
        f"layers by stage: {', '.join(f'{first}-{end - 1}' for first, end in spans)}"
    )


def workers(address, nodes):
    """Name of each node to the environments of its workers, by process; asked through Ray itself."""
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    ray.init(address=address, log_to_driver=False, logging_level="critical")
    try:
        alive = {node["NodeManagerAddress"]: node["NodeID"] for node in ray.nodes() if node["Alive"]}
        missing = [f"{name} ({ip})" for name, ip in nodes.items() if ip not in alive]
        if missing:
            sys.exit(f"Ray at {address} has lost {', '.join(missing)}: see `journalctl -u ray` there.")
        look = ray.remote(num_cpus=0)(processes)
        asked = {
            name: look.options(scheduling_strategy=NodeAffinitySchedulingStrategy(alive[ip], soft=False)).remote(
                WORKER, PREFIXES, OWN
            )
            for name, ip in nodes.items()
        }
        late = set(asked.values()) - set(ray.wait(list(asked.values()), num_returns=len(asked), timeout=60)[0])
        names = [name for name, answer in asked.items() if answer in late]
        if names:
            sys.exit(f"Ray did not answer on {', '.join(names)} within 60 s: see `journalctl -u ray` there.")
        return {name: ray.get(answer) for name, answer in asked.items()}
    finally:
        ray.shutdown()


def processes(title, prefixes, own):
    """Process to environment of every process of this user whose title begins so. Runs on each node, by value."""
    import os  # in Ray's worker there is no module around this

    found = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as stream:
                if not stream.read().startswith(title.encode()):
                    continue
            with open(f"/proc/{pid}/environ", "rb") as stream:
                pairs = [entry.partition("=")[::2] for entry in stream.read().decode("utf-8", "replace").split("\0")]
        except OSError:
            continue
        found[int(pid)] = {name: value for name, value in pairs if name.startswith(prefixes) and name not in own}
    return found


def environment(pid):
    """The same of one process."""
    with open(f"/proc/{pid}/environ", "rb") as stream:
        pairs = [entry.partition("=")[::2] for entry in stream.read().decode("utf-8", "replace").split("\0")]
    return {name: value for name, value in pairs if name.startswith(PREFIXES) and name not in OWN}


def differences(given):
    """A sentence about the first variable that is not one for all ranks, or None."""
    for name in sorted({name for variables in given.values() for name in variables}):
        by_value = {}
        for who, variables in given.items():
            by_value.setdefault(variables.get(name), []).append(who)
        if len(by_value) > 1:
            told = "; ".join(
                f"{'no value' if value is None else repr(value)} in {' and '.join(who)}"
                for value, who in by_value.items()
            )
            return (
                f"The ranks were given different environments: {name} is {told}. "
                "vLLM then serves wrong text at full speed, or hangs. "
                "Set it in ray_cluster_environment or ray_cluster_layer_partition, "
                "which write /etc/gh200/ranks.env for both units, "
                "look for drop-ins with `systemctl cat ray vllm`, and `systemctl restart ray` on every node; "
                "vLLM follows."
            )
    return None


def left_out(given, layers, stages):
    """A sentence if the stages together do not have every layer once, or None."""
    for who, variables in given.items():
        try:
            spans = cut(layers, stages, variables.get(PARTITION, ""))
        except ValueError as error:
            return (
                f"{who} was given {PARTITION}={variables.get(PARTITION)!r}: {error}. "
                "Correct ray_cluster_layer_partition."
            )
        if [layer for first, end in spans for layer in range(first, end)] != list(range(layers)):
            return (
                f"{who} cuts {layers} layers into {spans}, which are not all layers once. "
                "Correct ray_cluster_layer_partition."
            )
    return None


def cut(layers, stages, partition):
    """First layer and the one after the last, by stage, as vLLM 0.7.2 does it."""
    if partition:
        sizes = [int(size) for size in partition.split(",")]
        if len(sizes) != stages or sum(sizes) != layers:
            raise ValueError(f"it must have {stages} numbers whose sum is {layers}")
    else:
        sizes = [layers // stages] * (stages - 1) + [layers - layers // stages * (stages - 1)]
    ends = [sum(sizes[: number + 1]) for number in range(stages)]
    return [(end - size, end) for end, size in zip(ends, sizes, strict=False)]


def main_pid(unit):
    """The process of the unit, or an end with one sentence."""
    command = ["systemctl", "show", unit, "--value", "--property=MainPID"]
    pid = subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    if not pid.isdigit() or pid == "0":
        sys.exit(f"{unit} does not run: see `journalctl -u {unit}`.")
    return pid


if __name__ == "__main__":
    main(sys.argv[1])
