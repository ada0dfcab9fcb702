# SPDX-License-Identifier: GPL-3.0-or-later
"""Rank groups of experts as DeepSeek-V3 does: by the sum of the best two experts.

vLLM 0.7.2 ranks a group by its best expert, with the correction bias too, so that
some tokens go to other experts than the model was trained for. Without the bias,
as in DeepSeek-V2, the best expert is right and stays.

Usage: grouped_topk.py FOLDER_OF_THE_SOURCE. It changes the function of 0.7.2 and no
other, and leaves alone what is changed already.
"""

import ast
import hashlib
import os
import sys

FILE = "vllm/model_executor/layers/fused_moe/fused_moe.py"
FUNCTION = "grouped_topk"
# Of the function's lines, as they are in 0.7.2 and as they are when changed.
BEFORE = "1065a17df9341cac933d00ac4678c9d624d5ecbc4a9c643daf67b4856e763834"
AFTER = "19a6934e818e24870e982d9408bf8ed34b555aadfefb20c43997e5cf80854665"
RULE = """\
    if e_score_correction_bias is not None:
        # DeepSeek-V3 ranks a group by its best two experts together.
        group_scores = scores.view(num_token, num_expert_group, -1).topk(2, dim=-1)[0].sum(dim=-1)
"""


def fixed(source):
    """The text of FILE with the rule in it. Raises ValueError if the function is not that of 0.7.2."""
    function = next((part for part in ast.parse(source).body if getattr(part, "name", "") == FUNCTION), None)
    if function is None:
        raise ValueError(f"has no function {FUNCTION}")
    lines = source.splitlines(keepends=True)
    found = digest("".join(lines[function.lineno - 1 : function.end_lineno]))
    if found == AFTER:
        return source
    if found != BEFORE:
        raise ValueError(f"has another {FUNCTION} than vLLM 0.7.2 (checksum {found[:10]}, known is {BEFORE[:10]})")
    first = next(
        part for part in function.body if isinstance(part, ast.Assign) and part.targets[0].id == "group_scores"
    )
    lines.insert(first.end_lineno, RULE)
    return "".join(lines)


def digest(text):
    return hashlib.sha256(text.encode()).hexdigest()


def main(folder):
    path = os.path.join(folder, FILE)
    try:
        with open(path, encoding="utf-8") as stream:
            before = stream.read()
        after = fixed(before)
    except (OSError, SyntaxError, ValueError) as error:
        sys.exit(
            f"The fix {FUNCTION} does not fit this source: {path} {getattr(error, 'strerror', None) or error}. "
            f"Take {FUNCTION} out of vllm_build_fixes, or build vLLM 0.7.2."
        )
    if after != before:
        with open(path + ".new", "w", encoding="utf-8") as stream:
            stream.write(after)
        os.replace(path + ".new", path)


if __name__ == "__main__":
    main(*sys.argv[1:])
