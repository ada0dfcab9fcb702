# SPDX-License-Identifier: GPL-3.0-or-later
"""What is told of one run. page/src/figures.js has the same definitions, and a test holds them together.

A request is a dict of start, end, first, last (seconds), tokens and prompt_tokens (the server's count) and chunks; or
of start, end and error; or of start, end and stopped.
"""

PERCENTILES = (50, 90, 99)


def percentile(values, percent):
    """Of sorted values, between the two nearest ones, as numpy does it."""
    place = (len(values) - 1) * percent / 100
    below = values[int(place)]
    above = values[-(-(len(values) - 1) * percent // 100)]
    return below + (above - below) * (place - int(place))


def percentiles(values):
    """Those that are told, or None of none."""
    known = sorted(value for value in values if value is not None)
    return {f"p{percent}": percentile(known, percent) for percent in PERCENTILES} if known else None


def inter_token(request):
    """Seconds for each token after the first, by the server's count, however many chunks they came in."""
    return (request["last"] - request["first"]) / (request["tokens"] - 1) if request["tokens"] > 1 else None


def figures(requests):
    """The figures of one run."""
    good = [request for request in requests if not request.get("error") and not request.get("stopped")]
    spoke = [request for request in good if request["first"] is not None]
    seconds = max(one["end"] for one in requests) - min(one["start"] for one in requests) if requests else 0
    texts = {}
    for request in requests:
        if request.get("error"):
            texts[request["error"]] = texts.get(request["error"], 0) + 1
    sums = {name: sum(request[name] for request in good) for name in ("prompt_tokens", "tokens", "chunks")}
    return {
        "requests": len(requests),
        "completed": len(good),
        "failed": sum(texts.values()),
        "stopped": sum(1 for request in requests if request.get("stopped")),
        "errors": [{"text": text, "count": count} for text, count in texts.items()],
        "seconds": seconds,
        "prompt_tokens": sums["prompt_tokens"],
        "output_tokens": sums["tokens"],
        "chunks": sums["chunks"],
        "tokens_per_second": sums["tokens"] / seconds if seconds else 0,
        "requests_per_second": len(good) / seconds if seconds else 0,
        "first_token": percentiles(request["first"] - request["start"] for request in spoke),
        "inter_token": percentiles(inter_token(request) for request in spoke),
        "chunk_gap": percentiles(gap for request in good for gap in request.get("gaps", [])),
        "latency": percentiles(request["end"] - request["start"] for request in good),
    }
