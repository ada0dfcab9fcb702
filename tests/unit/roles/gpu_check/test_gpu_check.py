# SPDX-License-Identifier: GPL-3.0-or-later
"""A GPU that is broken, held, slow or of another kind is refused, and every refusal says why."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar

ROLE = Path(__file__).resolve().parents[4] / "roles/gpu_check"
ECC = "ecc.errors.uncorrected.volatile.total"
SOUND = {
    "index": "0",
    "name": "NVIDIA GH200 480GB",
    "driver_version": "570.148.08",
    "compute_cap": "9.0",
    "memory.total": "97871",
    "memory.free": "97281",
    ECC: "0",
    "fabric.state": "N/A",
    "fabric.status": "N/A",
}
MEASURES = {
    "capability": "9.0",
    "free_share": 0.99,
    "copy_gbs": 2951.2,
    "host_gbs": 52.7,
    "tflops_fp32": 64.3,
    "tflops_bf16": 644.2,
    "wrong": [],
}
NODE = {
    "page_size": 65536,
    "interface": "eth0",
    "speed_mbits": 100000,
    "mtu": "8942",
    "disk_free_gib": 3000,
    "clock_synchronised": True,
}
UNMEASURED = {"skipped": "no CUDA driver library"}


@pytest.fixture(name="program")
def gpu_check(load, monkeypatch):
    """The program, on a machine where nothing serves."""
    module = load("gpu_check/gpu_check.py")
    monkeypatch.setattr(module, "serving", lambda run: None)
    monkeypatch.setattr(module, "memory_only_nodes", lambda: [])
    monkeypatch.setattr(module, "await_first_boot", lambda seconds: None)
    return module


@pytest.fixture(name="options")
def check_options(tmp_path):
    """What the program is told."""
    return argparse.Namespace(
        capability="9.0",
        floors={},
        min_disk_gib=0,
        first_boot=1,
        free_share=0.92,
        record=str(tmp_path / "kept" / "gpu.json"),
        again=False,
        dry_run=False,
    )


class Machine:
    """Programs that answer for a GPU; `asked` are their calls."""

    def __init__(self, apps="", unknown=(), **fields):
        self.gpu = {**SOUND, **{name.replace("__", "."): value for name, value in fields.items()}}
        self.apps, self.unknown, self.asked = apps, unknown, []

    def __call__(self, *argv):
        self.asked.append(argv)
        if argv[0] != "nvidia-smi":
            return 1, ""
        if argv[1].startswith("--query-compute-apps"):
            return 0, self.apps
        fields = argv[1].partition("=")[2].split(",")
        for field in fields:
            if field in self.unknown:
                return 2, f'Field "{field}" is not a valid field to query.\n\n'
        return 0, ", ".join(self.gpu[field] for field in fields) + "\n"


def refusal(program, action, *arguments):
    """The sentence with which something is refused."""
    with pytest.raises(program.Unfit) as caught:
        action(*arguments)
    return str(caught.value)


def test_a_sound_gpu_passes_with_its_measures_shown(program, options):
    found = program.check(options, Machine(), lambda: {"cuda": "12.8", "gpus": [MEASURES]})
    assert found["remembered"] is False
    assert found["line"].startswith(
        "GPU 0 (NVIDIA GH200 480GB), driver 570.148.08, 2951.2 GB/s copied on the GPU, 52.7 GB/s from the host"
    )


def test_without_the_driver_library_nothing_is_measured_and_that_is_said(program, options):
    assert "not measured: no CUDA driver library" in program.check(options, Machine(), lambda: UNMEASURED)["line"]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"ecc__errors__uncorrected__volatile__total": "3"}, "counts 3 uncorrected ECC errors"),
        ({"memory__free": "48000"}, "48000 of 97871 MiB free, wanted are 92%: no process is named"),
        ({"driver_version": "535.183.01"}, "is 535.183.01, and 545 (CUDA 12.3) is the oldest"),
        ({"compute_cap": "8.0"}, "compute capability 8.0, wanted is 9.0"),
        (
            {"fabric__state": "Completed", "fabric__status": "Insufficient Resources"},
            "error 802, system not yet initialized: replace this node",
        ),
        ({"fabric__state": "Not Started"}, "error 802"),
    ],
)
def test_what_nvidia_smi_tells_is_judged(program, options, fields, words):
    assert words in refusal(program, program.check, options, Machine(**fields), lambda: UNMEASURED)


def test_a_fabric_that_does_not_come_up_is_waited_for_and_refused(program):
    gpus = program.settled_gpus(Machine(fabric__state="In Progress"), wait=-1)
    assert "fabric.state In Progress" in refusal(program, program.judge_state, gpus[0], None, "9.0")


@pytest.mark.parametrize("nothing", ["N/A", "[N/A]", "[Not Supported]", "[Unknown Error]"])
def test_a_field_without_a_value_is_not_judged(program, options, nothing):
    machine = Machine(
        **{
            name.replace(".", "__"): nothing
            for name in (ECC, "memory.free", "memory.total", "compute_cap", "fabric.state", "fabric.status")
        }
    )
    assert program.check(options, machine, lambda: UNMEASURED)["remembered"] is False


def test_fields_that_an_old_nvidia_smi_does_not_know_are_left_out(program):
    gpus = program.query_gpus(Machine(unknown=("fabric.state", "fabric.status")))
    assert gpus == [{name: value for name, value in SOUND.items() if not name.startswith("fabric")}]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((6, "No devices were found\n"), "status 6 and says 'No devices were found'"),
        ((0, "No devices were found\n"), "no GPU can be used: replace this node"),
        (
            (9, "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver.\n"),
            "communicate with the NVIDIA driver",
        ),
        ((0, ""), "says 'nothing'"),
        ((0, "Unable to determine the device handle\n"), "answers 'Unable to determine the device handle'"),
        ((None, ""), "nvidia-smi is not installed"),
    ],
)
def test_no_gpu_is_a_sentence(program, answer, words):
    assert words in refusal(program, program.query_gpus, lambda *argv: answer)


@pytest.mark.parametrize(
    ("measured", "words"),
    [
        (
            {"error": ["cuInit", 802, "CUDA_ERROR_SYSTEM_NOT_READY"]},
            "error 802, system not yet initialized: the GPU is dead at birth",
        ),
        (
            {"error": ["cuMemcpyDtoD_v2", 719, "CUDA_ERROR_LAUNCH_FAILED"]},
            "answers cuMemcpyDtoD_v2 with error 719, CUDA_ERROR_LAUNCH_FAILED",
        ),
        ({"failed": "did not end within 300 s"}, "did not end within 300 s: reboot"),
        ({"cuda": "12.8", "gpus": []}, "CUDA sees 0 GPUs and nvidia-smi 1"),
        ({"cuda": "12.2", "gpus": [MEASURES]}, "has CUDA 12.2, and 12.3 is the oldest"),
        ({"cuda": "12.8", "gpus": [{**MEASURES, "capability": "8.6"}]}, "compute capability 8.6"),
        ({"cuda": "12.8", "gpus": [{**MEASURES, "wrong": ["tflops_bf16"]}]}, "computes wrongly (TFLOP/s in bf16)"),
    ],
)
def test_what_cuda_answers_is_judged(program, options, measured, words):
    assert words in refusal(program, program.check, options, Machine(), lambda: measured)


@pytest.mark.parametrize("label", ["tflops_fp32", "tflops_bf16", "copy_gbs", "host_gbs"])
def test_a_slow_gpu_is_refused_with_both_values(program, label):
    floors = {"GH200": {label: 5000}}
    assert f"reaches {MEASURES[label]} " in refusal(program, program.judge_measures, SOUND, MEASURES, floors)
    assert "and 5000 is the least for its kind" in refusal(program, program.judge_measures, SOUND, MEASURES, floors)


def test_floors_are_of_the_longest_words_that_the_name_holds(load):
    program = load("gpu_check/gpu_judge.py")
    floors = {"H200": 1, "GH200": 2, "GH200 480GB": 3}
    assert program.floors_of("NVIDIA GH200 480GB", floors) == 3
    assert program.floors_of("NVIDIA GH200 144G HBM3e", floors) == 2
    assert program.floors_of("NVIDIA H200", floors) == 1
    assert program.floors_of("NVIDIA B200", floors) == {}


def test_a_full_disk_is_refused_and_a_wrong_clock_only_told(program):
    assert "/ has 3000 GiB free, wanted are 4000" in refusal(program, program.judge_node, NODE, 4000)
    assert program.describe([SOUND], UNMEASURED, {**NODE, "clock_synchronised": False}).endswith(
        "warning: the clock is not synchronised"
    )
    assert "eth0 at 100000 Mbit/s, MTU 8942" in program.describe([SOUND], UNMEASURED, NODE)


def test_a_second_check_in_the_same_boot_asks_nobody(program, options):
    program.check(options, Machine(), lambda: UNMEASURED)
    machine = Machine()
    assert program.check(options, machine, lambda: pytest.fail("measured again"))["remembered"] is True
    assert not machine.asked


@pytest.mark.parametrize(
    "change", [{"again": True}, {"capability": ""}, {"floors": {"GH200": {}}}, {"free_share": 0.5}]
)
def test_other_options_are_another_check(program, options, change):
    program.check(options, Machine(), lambda: UNMEASURED)
    assert (
        program.check(argparse.Namespace(**{**vars(options), **change}), Machine(), lambda: UNMEASURED)["remembered"]
        is False
    )


def test_another_boot_is_another_check_and_a_damaged_record_is_none(program, options, monkeypatch, tmp_path):
    program.check(options, Machine(), lambda: UNMEASURED)
    kept, read = tmp_path / "kept" / "gpu.json", program.read
    monkeypatch.setattr(program, "read", lambda path: "another" if path.endswith("boot_id") else read(path))
    assert program.check(options, Machine(), lambda: UNMEASURED)["remembered"] is False
    kept.write_text("{", encoding="utf-8")
    assert program.check(options, Machine(), lambda: UNMEASURED)["remembered"] is False


def test_a_refusal_and_a_dry_run_leave_no_record(program, options, tmp_path):
    refusal(program, program.check, options, Machine(), lambda: {"error": ["cuInit", 802, "x"]})
    program.check(argparse.Namespace(**{**vars(options), "dry_run": True}), Machine(), lambda: UNMEASURED)
    assert not (tmp_path / "kept").exists()


def test_while_something_serves_nothing_is_measured_or_remembered(program, options, monkeypatch, tmp_path):
    monkeypatch.setattr(program, "serving", lambda run: "vllm.service runs")
    found = program.check(options, Machine(memory__free="1000"), lambda: pytest.fail("measured"))
    assert "not measured: vllm.service runs" in found["line"]
    assert found["serving"] == "vllm.service runs"
    assert program.memory(options, Machine(memory__free="1000"))["skipped"] == "vllm.service runs"
    assert not (tmp_path / "kept").exists()


def test_what_serves_is_told_with_what_is_remembered_and_is_not_remembered_itself(program, options, monkeypatch):
    assert program.check(options, Machine(), lambda: UNMEASURED)["serving"] is None
    monkeypatch.setattr(program, "serving", lambda run: "vllm.service runs")
    found = program.check(options, Machine(), lambda: pytest.fail("measured again"))
    assert (found["remembered"], found["serving"]) == (True, "vllm.service runs")
    monkeypatch.setattr(program, "serving", lambda run: None)
    assert program.check(options, Machine(), lambda: pytest.fail("measured again"))["serving"] is None


@pytest.mark.parametrize(
    ("state", "expected"),
    [("active\n", "vllm.service runs"), ("activating\n", "vllm.service runs"), ("inactive\n", None)],
)
def test_an_engine_is_known_by_its_unit(load, monkeypatch, state, expected):
    program = load("gpu_check/gpu_check.py")
    monkeypatch.setattr(program.os, "listdir", lambda path: [])
    assert program.serving(lambda *argv: (0, state)) == expected


def test_a_worker_is_known_by_its_title(load, monkeypatch):
    program = load("gpu_check/gpu_host.py")
    monkeypatch.setattr(program.os, "listdir", lambda path: ["self", "12", "17"])
    monkeypatch.setattr(
        program,
        "read",
        lambda path: {"/proc/12/cmdline": "ray::IDLE", "/proc/17/cmdline": "ray::RayWorkerWrapper.execute"}[path],
    )
    assert program.serving(lambda *argv: (3, "inactive")) == "a worker of Ray serves (process 17)"


def test_the_page_cache_is_dropped_only_if_memory_is_short_and_can_be_in_it(program):
    machine, dropped = Machine(memory__free="48000"), []

    def drop():
        dropped.append(True)
        machine.gpu["memory.free"] = "97000"

    assert program.free_memory([SOUND], 0.92, machine, drop) == [SOUND]
    assert not dropped
    assert program.free_memory([dict(machine.gpu)], 0.92, machine, drop)[0]["memory.free"] == "97000"
    assert dropped == [True]


def test_who_holds_the_memory_is_named(program):
    machine = Machine(memory__free="48000", apps="4711, /usr/bin/python3, 40000 MiB\n4712, other, 9000 MiB\n")
    sentence = refusal(program, program.free_memory, [dict(machine.gpu)], 0.92, machine, lambda: None)
    assert (
        "and dropping the page cache did not help: it is held by 4711, /usr/bin/python3, 40000 MiB; 4712, "
        "other, 9000 MiB" in sentence
    )


@pytest.mark.parametrize(("cpulists", "expected"), [(["0-63", ""], [1]), (["0-31", "32-63"], []), ([], [])])
def test_memory_of_a_gpu_is_a_node_without_cpus(load, tmp_path, cpulists, expected):
    for number, text in enumerate(cpulists):
        (tmp_path / f"node{number}").mkdir()
        (tmp_path / f"node{number}" / "cpulist").write_text(text + "\n", encoding="utf-8")
    assert load("gpu_check/gpu_check.py").memory_only_nodes(str(tmp_path)) == expected


def test_the_program_ends_with_a_sentence_or_an_object(program, monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(program, "check", lambda options: {"floors": options.floors})
    assert program.main(["check", '--floors={"H100": {"copy_gbs": 1}}']) == 0
    assert json.loads(capsys.readouterr().out) == {"floors": {"H100": {"copy_gbs": 1}}}

    def unfit(options):
        raise program.Unfit("It is broken: replace it.")

    monkeypatch.setattr(program, "check", unfit)
    assert program.main(["check"]) == 1
    assert capsys.readouterr().err == "It is broken: replace it.\n"


def test_no_right_to_drop_or_to_record_is_a_sentence(program, monkeypatch, capsys):
    def denied(options):
        raise PermissionError(13, "Permission denied", "/proc/sys/vm/drop_caches")

    monkeypatch.setattr(program, "memory", denied)
    assert program.main(["memory"]) == 1
    assert "/proc/sys/vm/drop_caches" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('print(\'{"cuda": "12.8"}\')', {"cuda": "12.8"}),
        ("import sys; sys.exit('it broke')", {"failed": "ended with status 1 and said 'it broke'"}),
        (
            "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)",
            {"failed": "ended with status -11 and said 'nothing'"},
        ),
    ],
)
def test_a_measurement_that_crashes_is_told(program, text, expected):
    program.MEASURE = text
    assert program.measure() == expected


def test_what_is_sent_to_a_node_is_a_whole_program(tmp_path):
    variables = DataLoader().load_from_file(str(ROLE / "vars/main.yml"), trusted_as_template=True)
    loader = DataLoader()
    loader.set_basedir(str(ROLE / "files"))
    text = Templar(loader, variables).template(variables["__gpu_check_program"])
    # Anywhere but beside its files, as on a node; without nvidia-smi.
    done = subprocess.run(
        [sys.executable, "-", "check", f"--record={tmp_path}/record"],
        input=text,
        env={"PATH": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("nvidia-smi is not installed") and len(done.stderr.splitlines()) == 1


def test_a_first_boot_is_waited_for_however_it_ends(load, tmp_path):
    module, ended = load("gpu_check/gpu_check.py"), tmp_path / "ended"
    module.await_first_boot(60, ("/bin/sh", "-c", f"touch {ended}; exit 2"))
    assert ended.exists()


def test_a_machine_without_cloud_init_has_nothing_to_wait_for(load):
    load("gpu_check/gpu_check.py").await_first_boot(60, ("/no/such/program",))


def test_a_first_boot_that_does_not_end_is_a_sentence(load):
    module = load("gpu_check/gpu_check.py")
    with pytest.raises(Exception, match="first boot has not ended after 1 s: see `cloud-init status --long`") as caught:
        module.await_first_boot(1, ("sleep", "60"))
    assert type(caught.value).__name__ == "Unfit"
