# SPDX-License-Identifier: GPL-3.0-or-later
"""What an engine's parser says becomes one sentence."""

from __future__ import annotations

import argparse
import sys
import types

import pytest


@pytest.fixture(name="flags")
def program(load, monkeypatch):
    """The program, with an engine whose parser knows three flags."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--max-num-seqs", type=int)
    parser.add_argument("--enforce-eager", action="store_true")
    parser.add_argument("--tool-call-parser", choices=["mistral", "hermes"])

    def validate(arguments):
        if arguments.enforce_eager and arguments.tool_call_parser:
            raise TypeError("Error: these do not\n go together")

    arguments = types.SimpleNamespace(
        make_arg_parser=lambda given: parser, validate_parsed_serve_args=validate, __name__="cli_args"
    )
    modules = {
        "vllm": types.SimpleNamespace(__version__="0.7.2"),
        "vllm.utils": types.SimpleNamespace(FlexibleArgumentParser=argparse.ArgumentParser),
        "vllm.entrypoints": types.SimpleNamespace(),
        "vllm.entrypoints.openai": types.SimpleNamespace(),
        "vllm.entrypoints.openai.cli_args": arguments,
    }
    for name, module in modules.items():
        monkeypatch.setitem(sys.modules, name, module)
    return load("vllm_serve/flags.py")


def test_flags_that_it_takes_are_no_word(flags):
    assert flags.main(["--max-num-seqs=64", "--enforce-eager"]) is None


@pytest.mark.parametrize("option", ["--tool-call-parser 'hermes'", '--tool-call-parser="hermes"'])
def test_options_are_read_as_a_unit_has_them(flags, option):
    assert flags.main([], [option, "--max-num-seqs=1"]) is None
    assert "go together" in flags.main(["--enforce-eager"], [option])


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--enforce-eagre"], "unrecognized arguments: --enforce-eagre. Is --enforce-eager meant?"),
        (["--enable-expert-parallel"], "unrecognized arguments: --enable-expert-parallel. Correct"),
        (["--max-num-seqs=many"], "argument --max-num-seqs: invalid int value: 'many'. Correct"),
        (["--tool-call-parser=x"], "argument --tool-call-parser: invalid choice: 'x'"),
        (["--enforce-eager", "--tool-call-parser=hermes"], "Error: these do not go together. Correct"),
    ],
)
def test_what_it_refuses_is_one_sentence(flags, words, sentence):
    said = flags.main(words)
    assert said.startswith("vLLM 0.7.2 refuses its flags: ") and sentence in said and "\n" not in said
    assert said.endswith(" Correct vllm_serve_flags or vllm_serve_options.")


def test_a_flag_that_only_shows_something_is_refused(flags):
    assert "ends `vllm serve` at once" in flags.main(["--help"])


def test_an_engine_with_its_parser_elsewhere_is_not_held_up(flags, monkeypatch):
    monkeypatch.setitem(sys.modules, "vllm.entrypoints.openai.cli_args", types.SimpleNamespace())
    assert flags.main(["--anything"]) is None
