# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether this engine takes these flags, asked of its own parser: flags.py JSON, with words and options.

Run by the engine's Python before a unit is written, so that a slip of the pen ends no server. The words are those of
`vllm serve` after the model, the options further ones as a unit file has them. Ends with one sentence about the first
that it does not take.
"""

import difflib
import json
import os
import re
import shlex
import sys
import tempfile

KEPT = (
    "HOME",
    "HF_HOME",
    "XDG_CACHE_HOME",
    "XDG_CONFIG_HOME",
    "TRITON_CACHE_DIR",
    "VLLM_CACHE_ROOT",
    "VLLM_CONFIG_ROOT",
)


class Refused(Exception):
    """What the engine's parser says."""


def main(words, options=()):
    """None, or the sentence."""
    try:
        parser = engine_parser()
    except Exception:
        return None  # an engine whose parser cannot be had like this tells it at its start
    parser.error = refuse
    try:
        check(parser.parse_args([*words, *plain(options)]))
    except SystemExit:
        return "vllm_serve_flags or vllm_serve_options has a flag that ends `vllm serve` at once: leave it out."
    except AttributeError:
        return None  # another version's rules, which need more than the words
    except (Refused, TypeError, ValueError) as error:
        said = " ".join(str(error).split())
        return (
            f"vLLM {version()} refuses its flags: {said}.{advice(said, parser)} "
            "Correct vllm_serve_flags or vllm_serve_options."
        )
    return None


def plain(options):
    """The words that systemd makes of them, but for variables."""
    return [word.replace("%%", "%").replace("$$", "$") for word in shlex.split(" ".join(options))]


def engine_parser():
    """That of `vllm serve`; since 0.11 or so one of its parts lies elsewhere."""
    from vllm.entrypoints.openai.cli_args import make_arg_parser

    try:
        from vllm.utils import FlexibleArgumentParser
    except ImportError:
        from vllm.utils.argparse_utils import FlexibleArgumentParser
    return make_arg_parser(FlexibleArgumentParser())


def check(arguments):
    """What the engine asks of flags that go together."""
    try:
        from vllm.entrypoints.openai.cli_args import validate_parsed_serve_args
    except ImportError:
        return
    validate_parsed_serve_args(arguments)


def version():
    """Of the engine."""
    import vllm

    return vllm.__version__


def refuse(message):
    """In place of usage and an exit."""
    raise Refused(message)


def advice(said, parser):
    """The flags that were probably meant."""
    unknown = [
        word.split("=")[0] for word in re.findall(r"--[\w.-]+(?:=\S*)?", said.partition("unrecognized arguments:")[2])
    ]
    known = list(parser._option_string_actions)
    near = [found for word in unknown for found in difflib.get_close_matches(word, known, 1, 0.8)]
    return f" Is {' and '.join(near)} meant?" if near else ""


def in_passing(given):
    """The same, with nothing left where the libraries that the engine brings would keep something."""
    with tempfile.TemporaryDirectory() as place:
        os.environ.update(dict.fromkeys(KEPT, place), VLLM_NO_USAGE_STATS="1")
        return main(**given)


if __name__ == "__main__":
    sys.exit(in_passing(json.loads(sys.argv[1])))
