// SPDX-License-Identifier: GPL-3.0-or-later
// The percentiles as a table, and the errors as a list; for the page and the report.
import { make, number, time } from "./dom.js";

const FIGURES = [
  ["first_token", "first token"],
  ["inter_token", "between tokens"],
  ["chunk_gap", "between chunks"],
  ["latency", "whole answer"],
];

export function table(rows) {
  // The report's generator does not time chunks.
  const shown = FIGURES.filter(([name]) => rows.some((row) => row[name].p50));
  const head = make("tr", {}, ...["at once", "answers", "failed", "tokens", "tokens/s"].map((text) => make("th", { rowspan: 2, class: "n" }, text)),
    ...shown.map(([, text]) => make("th", { colspan: 3, class: "group" }, text)));
  const second = make("tr", {}, ...shown.flatMap(([name]) => ["p50", "p90", "p99"].map((p) => make("th", { class: p === "p50" ? "n first" : "n" }, p))));
  const body = rows.map((row) =>
    make("tr", { "data-concurrency": row.concurrency },
      ...[number(row.concurrency, 0), number(row.completed, 0)].map((text) => make("td", { class: "n" }, text)),
      make("td", { class: row.failed ? "n bad" : "n" }, number(row.failed, 0)),
      make("td", { class: "n" }, number(row.output_tokens, 0)),
      make("td", { class: "n" }, withSpread(row.tokens_per_second, number)),
      ...shown.flatMap(([name]) => ["p50", "p90", "p99"].map((p) => make("td", { class: p === "p50" ? "n first" : "n" }, withSpread(row[name][p], time))))));
  return make("table", {}, make("thead", {}, head, second), make("tbody", {}, ...body));
}

function withSpread(value, format) {
  if (!value) return "–";
  if (value.low === value.high) return format(value.middle);
  return make("span", { title: `${format(value.low)} to ${format(value.high)}` }, format(value.middle), make("small", {}, ` ±${number(((value.high - value.low) / 2 / value.middle) * 100, 0)}%`));
}

export function errors(rows) {
  const found = rows.flatMap((row) => row.errors.map((error) => ({ ...error, concurrency: row.concurrency })));
  if (!found.length) return make("p", { class: "muted" }, "No request failed.");
  return make("ul", { class: "errors" }, ...found.map(({ text, count, concurrency }) => make("li", {}, make("b", {}, `${count}, with ${concurrency} at once: `), text)));
}
