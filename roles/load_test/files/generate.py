# SPDX-License-Identifier: GPL-3.0-or-later
"""One run of guidellm: generate.py SETTINGS, a JSON object; what each request did goes to its `output`.

The key is in the environment variable LOAD_TEST_KEY, and guidellm shows it nowhere: it keeps it as a secret. Runs in
the environment of roles/load_test/files/requirements.txt.
"""

import asyncio
import json
import multiprocessing
import os
import re
import sys
import types


class Rows:
    """Requests from data sets, in order.

    guidellm's own is torch's, which is gigabytes, for a loop over rows. This has the same interface.
    """

    def __init__(self, config, datasets, preprocessors, finalizer, random_seed, **_more):
        self.datasets, self.preprocessors, self.finalizer = datasets, preprocessors, finalizer
        for each in preprocessors:
            if hasattr(each, "setup_data"):
                each.setup_data(datasets=datasets)
        self.info = {**config.model_dump(mode="json"), "seed": random_seed}

    def __iter__(self):
        for rows in zip(*self.datasets, strict=False):
            row = [{"dataset": each} for each in rows]
            for preprocessor in self.preprocessors:
                row = preprocessor(row)
            conversation = self.finalizer(row)
            for node in conversation.nodes.values():
                # What was asked for would stand for what came, where the server tells nothing.
                node.request.output_metrics.text_tokens = node.request.input_metrics.text_tokens = None
            yield conversation


def stand_in():
    """Rows in the place of guidellm's loader, before guidellm is imported, in its worker processes too."""
    module = types.ModuleType("guidellm.data.loaders.torch")
    module.TorchDataLoader = Rows
    sys.modules[module.__name__] = module
    from guidellm.data.loaders.loader import DataLoaderRegistry

    DataLoaderRegistry.register("pytorch")(Rows)


def scenario(settings):
    """The run as guidellm takes it."""
    from guidellm.benchmark import BenchmarkScenario

    backend = {"kind": "openai_http", "target": settings["url"], "model": settings["model"], "http2": False}
    data = {
        "kind": "synthetic_text",
        "prompt_tokens": settings["prompt_tokens"],
        "output_tokens": settings["output_tokens"],
    }
    limits = [
        {"kind": "max_requests", "count": settings["requests"]},
        {"kind": "max_duration", "seconds": settings["seconds"]},
    ]
    return BenchmarkScenario(
        spec={
            # Which models there are was asked before, and /health tells nothing.
            "backend": backend
            | {
                "api_key": os.environ.get("LOAD_TEST_KEY") or None,
                "validate_backend": False,
                "max_tokens": settings["output_tokens"],
                "extras": {"body": {"ignore_eos": True}},
            },
            "profile": {"kind": "concurrent", "streams": [settings["concurrency"]]},
            "constraints": limits,
            "data": [data],
            "tokenizer": {"kind": "huggingface_auto", "model": settings["tokenizer"]},
            "seed": {"kind": "static", "value": settings["seed"]},
            "outputs": [],
        }
    )


def requests(benchmark):
    """What each request did, in the terms of figures.py."""
    found = []
    for status in ("successful", "errored", "incomplete"):
        for stats in getattr(benchmark.requests, status) or []:
            times = stats.info.timings
            start = times.request_start or times.resolve_start
            if start is None:
                continue  # it was never sent
            one = {"start": start, "end": times.request_end or times.resolve_end}
            if status == "errored":
                one["error"] = plain(stats.info.error)
            elif status == "incomplete":
                one["stopped"] = True
            elif stats.output_metrics.total_tokens is None:
                # guidellm would count chunks.
                one["error"] = "the answer has no usage, so its tokens are not known"
            else:
                one |= {
                    "first": times.first_token_iteration,
                    "last": times.last_token_iteration,
                    "tokens": stats.output_metrics.total_tokens,
                    "prompt_tokens": stats.input_metrics.total_tokens or 0,
                    "chunks": times.token_iterations,
                }
            found.append(one)
    return found


def plain(error):
    """An exception's text without its class and without advice that is a link."""
    text = (
        re.sub(r"^\w+\((['\"])(.*)\1\)$", r"\2", str(error), flags=re.DOTALL)
        .replace("\\n", "\n")
        .strip()
        .partition("\n")[0]
    )
    status = re.match(r"(?:Server|Client) error '(.*?)'", text)
    return f"HTTP {status[1]}" if status else text[:300]


async def run(settings):
    """The run itself."""
    from guidellm.benchmark import benchmark_generative_text

    report, _outputs = await benchmark_generative_text(scenario(settings), progress=False)
    with open(settings["output"], "w", encoding="utf-8") as file:
        json.dump(requests(report.benchmarks[0]), file)


# Its worker processes import this file anew, under another name.
stand_in()
if __name__ == "__main__":
    # Its workers begin with these, and need not read them each.
    multiprocessing.set_forkserver_preload(["datasets", "httpx", "pandas", "pydantic", "transformers"])
    try:
        asyncio.run(run(json.loads(sys.argv[1])))
    except Exception as error:
        # Only its first line: what follows may show what guidellm was given, the key too.
        sys.exit(f"{type(error).__name__}: {plain(error)}")
