# SPDX-License-Identifier: GPL-3.0-or-later
"""Flags become words, and systemd makes of their quoted form the same words again."""

from __future__ import annotations

import re

import pytest
from ansible_collections.gh200.inference.plugins.filter.exec_start import exec_start
from ansible_collections.gh200.inference.plugins.plugin_utils import command_line
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ({"enforce-eager": True}, ["--enforce-eager"]),
        ({"--enforce_eager": True}, ["--enforce-eager"]),
        ({"enforce-eager": False, "seed": None, "middleware": []}, []),
        ({"max-num-batched-tokens": 8192}, ["--max-num-batched-tokens=8192"]),
        ({"seed": 0, "swap_space": 0.5}, ["--seed=0", "--swap-space=0.5"]),
        ({"response-role": "an assistant"}, ["--response-role=an assistant"]),
        ({"lora-modules": ["a=/a b", "c=/c"]}, ["--lora-modules", "a=/a b", "c=/c"]),
        ({"rope-scaling": {"factor": 2.0, "on": True}}, ['--rope-scaling={"factor":2.0,"on":true}']),
        ({"x": [{"a": 1}, True]}, ["--x", '{"a":1}', "true"]),
        ({}, []),
    ],
)
def test_each_value_has_its_form(flags, expected):
    assert command_line.words(flags, {}) == expected


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        ({"max_model_len": 1}, "--max-model-len has a variable of its own: set vllm_serve_max_model_len."),
        ({"distributed-executor-backend": "mp"}, "--distributed-executor-backend is what the other parts need"),
        ({"api_key": "planted"}, "--api-key would show a secret in every process list"),
        ({"--hf-token": "planted"}, "--hf-token would show a secret"),
        ({"max model": 1}, "'max model' is not the name of a flag"),
        ({"": 1}, "'' is not the name of a flag"),
        ({"x": "a\0"}, "a NUL character cannot be given"),
    ],
)
def test_what_cannot_be_is_refused_without_its_value(flags, sentence):
    with pytest.raises(ValueError, match=re.escape(sentence)) as refusal:
        command_line.words(flags, {"max-model-len": "vllm_serve_max_model_len", "distributed-executor-backend": ""})
    assert "planted" not in str(refusal.value)


@pytest.mark.parametrize("options", [["--api-key=planted"], ["--seed=1 --api-key planted"], ["--api_key", "planted"]])
def test_a_secret_among_the_options_is_refused(options):
    with pytest.raises(ValueError, match="--api-key would show") as refusal:
        command_line.require_no_secret(options)
    assert "planted" not in str(refusal.value)


def test_other_options_are_not():
    command_line.require_no_secret(["--seed=1", "--my-api-key-url=x"])


NAMED = {"n": "\n", "t": "\t", "r": "\r"}


def as_systemd_reads(text):
    """The words that systemd.service(5) says it makes of them, for what `quoted` writes."""
    words = []
    for found in re.finditer(r'"((?:[^"\\]|\\.)*)"|(\S+)', text, re.DOTALL):
        word = found[2]
        if word is None:
            word = re.sub(r"\\(.)", lambda escape: NAMED.get(escape[1], escape[1]), found[1])
        words.append(word.replace("%%", "%").replace("$$", "$"))
    return words


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0"))))
def test_quoted_words_are_read_back(words):
    assert as_systemd_reads(" ".join(map(command_line.quoted, words))) == words


@pytest.mark.parametrize("word", ["--port=8000", "/opt/venv/bin/vllm", "a=b:c,d"])
def test_a_plain_word_stays_as_it_is(word):
    assert command_line.quoted(word) == word


def test_each_flag_stands_on_a_line_of_its_own():
    assert exec_start(["/bin/vllm", "serve", "/m", "--a", "b", "--c=1 %"]) == (
        '/bin/vllm serve /m \\\n    --a b \\\n    "--c=1 %%"'
    )
