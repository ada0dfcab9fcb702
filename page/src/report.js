// SPDX-License-Identifier: GPL-3.0-or-later
// The report of playbooks/load_test.yml: what stands in #result, as {result, earlier, failures, compared}.
import { charts } from "./chart.js";
import { byId, make, number, time } from "./dom.js";
import { byConcurrency } from "./figures.js";
import { errors, table } from "./table.js";
import { tiles } from "./tiles.js";

const { result, earlier, failures, compared, thresholds } = JSON.parse(byId("result").textContent);
const rows = byConcurrency(result.runs);
const price = result.about.price_per_hour ?? 0;

document.title = `Load test of ${result.about.model}, ${result.made}`;
byId("title").textContent = `Load test of ${result.about.model}`;
byId("subtitle").textContent = [result.about.shape, result.about.engine, result.made.replace("T", " ").replace(/(\.\d+)?Z$/, " UTC")].filter(Boolean).join(" · ");

if (thresholds.length) {
  byId("verdict").classList.remove("hidden");
  byId("verdict").append(
    failures.length
      ? make("div", { class: "bad" }, ...failures.map((text) => make("div", {}, text)))
      : make("div", { class: "good" }, `Within its limits: ${thresholds.join(", ")}.`),
  );
}
byId("tiles").replaceChildren(...tiles(rows, price));
byId("table").replaceChildren(table(rows));
byId("errors").replaceChildren(errors(rows));
if (compared.length) {
  byId("compared").classList.remove("hidden");
  byId("comparison").replaceChildren(comparison(compared));
}
byId("about").replaceChildren(about());
const draw = () => charts({ throughput: byId("throughput"), latency: byId("latency"), inter: byId("inter") }, rows, earlier ? byConcurrency(earlier.runs) : []);
draw();
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);

function comparison(lines) {
  const head = ["at once", "figure", "earlier", "now", "change", "runs", ""];
  const format = (line, value) => (line.figure === "tokens_per_second" ? `${number(value)} /s` : time(value));
  const cells = (line) => [number(line.concurrency, 0), line.label, format(line, line.earlier), format(line, line.now), `${line.change > 0 ? "+" : ""}${number(line.change * 100, 1)}%`, `${line.runs[0]} / ${line.runs[1]}`];
  const body = lines.map((line) =>
    make("tr", {}, ...cells(line).map((cell, place) => make("td", { class: place === 1 ? "" : "n" }, cell)), make("td", { class: line.beyond ? (line.better ? "good" : "bad") : "muted" }, line.says)));
  return make("table", {}, make("thead", {}, make("tr", {}, ...head.map((text, place) => make("th", { class: place === 1 || place === 6 ? "" : "n" }, text)))), make("tbody", {}, ...body));
}

function about() {
  const { about: ran, asked } = result;
  const lines = {
    model: ran.model, revision: ran.revision, shape: ran.shape, nodes: ran.nodes, engine: ran.engine, endpoint: ran.url, "measured by": result.by, when: result.made,
    "requests of each stream": asked.requests, "runs of each batch size": asked.repeats, "tokens of each prompt": asked.prompt_tokens, "tokens of each answer": asked.output_tokens,
    seed: asked.seed, "dollars per hour": price || "not known", "compared with": earlier ? `${earlier.made}, ${[earlier.about.shape, earlier.about.engine].filter(Boolean).join(", ")}` : "",
  };
  const shown = Object.entries(lines).filter(([, value]) => value !== undefined && value !== null && value !== "");
  return make("table", {}, make("tbody", {}, ...shown.map(([name, value]) => make("tr", {}, make("th", {}, name), make("td", { class: "text" }, String(value))))));
}
