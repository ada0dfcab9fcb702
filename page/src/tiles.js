// SPDX-License-Identifier: GPL-3.0-or-later
// The figures that one looks for first.
import { make, number, time } from "./dom.js";

const tile = (value, text, bad = false) => make("div", { class: "tile" }, make("b", bad ? { class: "bad" } : {}, value), make("span", {}, text));

/** `price` in dollars per hour of all that serves, 0 where it is not known. */
export function tiles(rows, price = 0) {
  const best = rows.reduce((most, row) => ((row.tokens_per_second?.middle ?? 0) > (most.tokens_per_second?.middle ?? 0) ? row : most));
  const rate = best.tokens_per_second?.middle ?? 0;
  const sum = (name) => rows.reduce((total, row) => total + row[name], 0);
  const failed = sum("failed");
  return [
    tile(number(rate), `tokens/s at the best, ${best.concurrency} at once`),
    tile(number(rate / best.concurrency), "of these for each stream"),
    tile(time(best.first_token.p50?.middle), `first token there, p50; p99 ${time(best.first_token.p99?.middle)}`),
    tile(time(best.inter_token.p50?.middle), `between tokens there, p50; p99 ${time(best.inter_token.p99?.middle)}`),
    tile(`${number(failed, 0)} of ${number(sum("requests"), 0)}`, "requests failed", failed > 0),
    ...(price && rate ? [tile(`$${number((price / 3600 / rate) * 1e6, 2)}`, `for a million tokens, at $${number(price, 2)} an hour`)] : []),
  ];
}
