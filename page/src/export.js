// SPDX-License-Identifier: GPL-3.0-or-later
// The result as files, in the form of playbooks/load_test.yml; without the key.

export function result(asked, runs) {
  const { key, url, model, ...rest } = asked;
  return { format: 1, made: new Date().toISOString(), by: "load_test.html", about: { model, url }, asked: { ...rest }, runs };
}

const PARTS = ["first_token", "inter_token", "chunk_gap", "latency"];
const PLAIN = ["concurrency", "repeat", "started", "seconds", "requests", "completed", "failed", "stopped", "prompt_tokens", "output_tokens", "chunks", "tokens_per_second", "requests_per_second"];

/** A line for each run; times are in seconds. */
export function csv(runs) {
  const columns = [...PLAIN, ...PARTS.flatMap((part) => ["p50", "p90", "p99"].map((p) => `${part}_${p}`))];
  const line = (run) => [...PLAIN.map((name) => run[name]), ...PARTS.flatMap((part) => ["p50", "p90", "p99"].map((p) => run[part]?.[p] ?? ""))];
  return [columns, ...runs.map(line)].map((cells) => cells.join(",")).join("\n") + "\n";
}
