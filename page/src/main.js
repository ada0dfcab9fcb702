// SPDX-License-Identifier: GPL-3.0-or-later
import { charts } from "./chart.js";
import { byId, number, save } from "./dom.js";
import { csv, result } from "./export.js";
import { byConcurrency } from "./figures.js";
import { lanes, limit } from "./lanes.js";
import { batchSizes } from "./prompt.js";
import { run } from "./run.js";
import { authorization, refusal } from "./stream.js";
import { Streams } from "./streams.js";
import { errors, table } from "./table.js";
import { tiles } from "./tiles.js";

let ending = null; // of the test that runs
let listing = Promise.resolve(false); // of the models, of which the last one counts
let asked = null;
let runs = [];

// The tunnel hands over where it ends: load_test.html#api=http://localhost:8000/v1. A key there would stay in the browser's history.
const given = new URLSearchParams(location.hash.slice(1) || location.search.slice(1));
byId("url").value = given.get("api") ?? "http://localhost:8000/v1";

const whole = (name) => Number.parseInt(byId(name).value, 10);
const base = () => byId("url").value.trim().replace(/\/+$/, "");

function tell(text, bad = false) {
  byId("status").textContent = text;
  byId("status").className = bad ? "status bad" : "status muted";
}

async function listModels() {
  const select = byId("model");
  try {
    const response = await fetch(`${base()}/models`, { headers: authorization(byId("key").value), cache: "no-store", credentials: "omit" });
    if (!response.ok) throw new Error(await refusal(response));
    const names = (await response.json()).data.map((model) => model.id);
    const chosen = select.value;
    select.replaceChildren(...names.map((name) => new Option(name, name, false, name === chosen)));
    tell(`${names.length === 1 ? "1 model" : `${names.length} models`} at ${base()}`);
    return true;
  } catch (error) {
    const why = error instanceof TypeError ? "no answer came: is the tunnel up, and the address right?" : error.message;
    tell(`The models of ${base()} could not be listed: ${why}`, true);
    return false;
  }
}

function read() {
  return {
    url: base(), key: byId("key").value, model: byId("model").value, output_tokens: whole("tokens"), words: whole("words"),
    concurrencies: batchSizes(byId("sizes").value), rounds: whole("rounds"), seed: whole("seed"),
    temperature: Number(byId("temperature").value), whole: byId("whole").checked,
  };
}

async function start(event) {
  event.preventDefault();
  // A click on Start may be what ended the typing of the key.
  await listing;
  if (ending || (!byId("model").value && !(await listModels()))) return;
  try {
    asked = read();
  } catch (error) {
    tell(error.message, true);
    return;
  }
  runs = [];
  ending = new AbortController();
  show();
  buttons();
  warn();
  const streams = new Streams(byId("streams"), byId("live-title"));
  byId("live").classList.remove("hidden");
  await run(asked, {
    signal: ending.signal,
    onBatch(concurrency) {
      tell(`${concurrency} at once: batch ${asked.concurrencies.indexOf(concurrency) + 1} of ${asked.concurrencies.length}`);
      streams.begin(concurrency);
    },
    onStream: (place, sample) => streams.state(place, sample),
    onText: (place, text) => streams.text(place, text),
    onRun(done) {
      runs.push(done);
      show();
    },
  });
  streams.end();
  const failed = runs.reduce((sum, one) => sum + one.failed, 0);
  tell(`${ending.signal.aborted ? "Stopped" : "Done"}${failed ? `, ${number(failed, 0)} requests failed` : ""}.`, failed > 0);
  ending = null;
  buttons();
}

function warn() {
  const most = Math.max(...asked.concurrencies);
  const text = limit(lanes(asked.url, most), most);
  byId("warning").textContent = text;
  byId("warning").classList.toggle("hidden", !text);
}

function buttons() {
  byId("start").disabled = Boolean(ending);
  byId("stop").disabled = !ending;
  byId("json").disabled = byId("csv").disabled = !runs.length;
}

function show() {
  for (const name of ["results", "plots", "figures", "failures"]) byId(name).classList.toggle("hidden", !runs.length);
  buttons();
  if (!runs.length) return;
  const rows = byConcurrency(runs);
  byId("tiles").replaceChildren(...tiles(rows));
  byId("table").replaceChildren(table(rows));
  byId("errors").replaceChildren(errors(rows));
  charts({ throughput: byId("throughput"), latency: byId("latency"), inter: byId("inter") }, rows);
}

const stamp = () => new Date().toISOString().replace(/[-:]|\.\d+/g, "");
byId("form").addEventListener("submit", start);
byId("stop").addEventListener("click", () => ending?.abort());
byId("key").addEventListener("change", () => (listing = listModels()));
byId("url").addEventListener("change", () => byId("key").value && (listing = listModels()));
byId("json").addEventListener("click", () => save(`load-${stamp()}.json`, "application/json", JSON.stringify(result(asked, runs), null, 1)));
byId("csv").addEventListener("click", () => save(`load-${stamp()}.csv`, "text/csv", csv(runs)));
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", show);
tell(`Give the key; then the models of ${base()} are listed.`);
