// SPDX-License-Identifier: GPL-3.0-or-later
// What is told of a batch. roles/load_test/files/figures.py has the same definitions, and a test holds them together.

export const PERCENTILES = [50, 90, 99];

/** Between the two nearest values, as numpy does it; null of none. */
export function percentile(sorted, percent) {
  if (!sorted.length) return null;
  const place = ((sorted.length - 1) * percent) / 100;
  const below = sorted[Math.floor(place)];
  const above = sorted[Math.ceil(place)];
  return below + (above - below) * (place - Math.floor(place));
}

export function percentiles(values) {
  const sorted = values.filter((value) => value !== null).sort((a, b) => a - b);
  if (!sorted.length) return null;
  return Object.fromEntries(PERCENTILES.map((percent) => [`p${percent}`, percentile(sorted, percent)]));
}

export const firstToken = (request) => request.first - request.start;

/** Seconds for each token after the first: by the server's count of tokens, however many chunks they came in. */
export const interToken = (request) =>
  request.tokens > 1 ? (request.last - request.first) / (request.tokens - 1) : null;

/** Requests have start, end, and first, last, tokens, prompt_tokens, chunks, gaps; or an error; or were stopped. */
export function figures(requests) {
  const stopped = requests.filter((request) => request.stopped);
  const failed = requests.filter((request) => request.error);
  const good = requests.filter((request) => !request.error && !request.stopped);
  const texts = new Map();
  for (const { error } of failed) texts.set(error, (texts.get(error) ?? 0) + 1);
  const sum = (name) => good.reduce((total, request) => total + request[name], 0);
  const seconds = requests.length
    ? Math.max(...requests.map((request) => request.end)) - Math.min(...requests.map((request) => request.start))
    : 0;
  const spoke = good.filter((request) => request.first !== null);
  return {
    requests: requests.length,
    completed: good.length,
    failed: failed.length,
    stopped: stopped.length,
    errors: [...texts].map(([text, count]) => ({ text, count })),
    seconds,
    prompt_tokens: sum("prompt_tokens"),
    output_tokens: sum("tokens"),
    chunks: sum("chunks"),
    tokens_per_second: seconds ? sum("tokens") / seconds : 0,
    requests_per_second: seconds ? good.length / seconds : 0,
    first_token: percentiles(spoke.map(firstToken)),
    inter_token: percentiles(spoke.map(interToken)),
    chunk_gap: percentiles(good.flatMap((request) => request.gaps ?? [])),
    latency: percentiles(good.map((request) => request.end - request.start)),
  };
}

/** Runs of the same concurrency together: of each figure the middle of the runs, the lowest and the highest. */
export function byConcurrency(runs) {
  const groups = new Map();
  for (const run of runs) groups.set(run.concurrency, [...(groups.get(run.concurrency) ?? []), run]);
  return [...groups.keys()]
    .sort((a, b) => a - b)
    .map((concurrency) => {
      const all = groups.get(concurrency);
      const total = (name) => all.reduce((sum, run) => sum + run[name], 0);
      const texts = new Map();
      for (const { text, count } of all.flatMap((run) => run.errors)) texts.set(text, (texts.get(text) ?? 0) + count);
      return {
        concurrency,
        runs: all.length,
        requests: total("requests"),
        completed: total("completed"),
        failed: total("failed"),
        stopped: total("stopped"),
        output_tokens: total("output_tokens"),
        chunks: total("chunks"),
        errors: [...texts].map(([text, count]) => ({ text, count })),
        tokens_per_second: spread(all.map((run) => run.tokens_per_second)),
        ...Object.fromEntries(
          ["first_token", "inter_token", "chunk_gap", "latency"].map((name) => [
            name,
            Object.fromEntries(PERCENTILES.map((p) => [`p${p}`, spread(all.map((run) => run[name]?.[`p${p}`] ?? null))])),
          ]),
        ),
      };
    });
}

function spread(values) {
  const sorted = values.filter((value) => value !== null).sort((a, b) => a - b);
  return sorted.length ? { middle: percentile(sorted, 50), low: sorted[0], high: sorted.at(-1) } : null;
}
