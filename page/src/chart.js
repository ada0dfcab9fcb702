// SPDX-License-Identifier: GPL-3.0-or-later
// Throughput and latency against concurrency. Where a figure was measured several times, the band is from the lowest to the highest.
import uPlot from "uplot";
import { number, time } from "./dom.js";

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** One chart. `lines` are {label, colour, dash, points: [{x, middle, low, high}]}; drawn anew when its place changes size. */
export function chart(place, { title, unit, lines, logarithmic = false }) {
  place.replaceChildren();
  const xs = [...new Set(lines.flatMap((line) => line.points.map((point) => point.x)))].sort((a, b) => a - b);
  const format = unit === "s" ? time : (value) => number(value, value < 10 && value % 1 ? 1 : 0);
  const series = [{ label: "at once" }];
  const data = [xs];
  const bands = [];
  for (const line of lines) {
    const of = (name) => xs.map((x) => line.points.find((point) => point.x === x)?.[name] ?? null);
    const shade = colour(line.colour);
    const hidden = { label: "", stroke: "transparent", width: 0, points: { show: false } };
    series.push({ label: line.label, stroke: shade, width: 2, dash: line.dash, points: { size: 7, fill: shade }, value: (_, value) => (value === null ? "–" : format(value)) });
    series.push({ ...hidden, class: "band" }, { ...hidden, class: "band" });
    data.push(of("middle"), of("high"), of("low"));
    bands.push({ series: [series.length - 2, series.length - 1], fill: `${shade}30` });
  }
  const axis = { stroke: colour("--muted"), grid: { stroke: colour("--line"), width: 1 }, ticks: { stroke: colour("--line"), width: 1 }, font: "12px system-ui, sans-serif" };
  const options = {
    title,
    ...size(place),
    series,
    bands,
    // A single batch size has room on both sides.
    scales: {
      x: { time: false, distr: 3, log: 2, range: (_, low, high) => (low === high ? [low / 2, high * 2] : [low, high]) },
      y: logarithmic ? { distr: 3 } : { range: (_, low, high) => [0, (high || 1) * 1.1] },
    },
    axes: [
      { ...axis, splits: () => xs, values: (_, marks) => marks.map(String), label: "requests at once", labelSize: 22, labelFont: "12px system-ui, sans-serif" },
      { ...axis, size: 68, values: (_, marks) => marks.map((mark) => (mark === null ? "" : format(mark))) },
    ],
    padding: [8, 24, 0, 0],
    legend: { live: true },
    cursor: { drag: { x: false, y: false } },
  };
  const plot = new uPlot(options, data, place);
  place.plot = plot;
  observe(place);
}

const size = (place) => ({ width: Math.max(280, Math.floor(place.clientWidth)), height: 300 });

function observe(place) {
  if (place.observed) return;
  place.observed = new ResizeObserver(() => place.plot?.setSize(size(place)));
  place.observed.observe(place);
}

/** Points of one figure of rows of byConcurrency. */
export const points = (rows, pick) => rows.map((row) => ({ x: row.concurrency, ...(pick(row) ?? { middle: null, low: null, high: null }) }));

/** Both charts. `earlier` are the rows of another test, drawn with dashes. */
export function charts({ throughput, latency, inter }, rows, earlier = []) {
  const lines = (label, shade, pick) => [
    { label, colour: shade, points: points(rows, pick) },
    ...(earlier.length ? [{ label: `${label}, earlier`, colour: shade, dash: [5, 5], points: points(earlier, pick) }] : []),
  ];
  chart(throughput, { title: "Tokens per second, all requests together", unit: "", lines: lines("tokens/s", "--blue", (row) => row.tokens_per_second) });
  const percentiles = (name) => [
    ...lines("p50", "--green", (row) => row[name].p50),
    ...lines("p90", "--orange", (row) => row[name].p90),
    ...lines("p99", "--red", (row) => row[name].p99),
  ];
  chart(latency, { title: "Time to the first token", unit: "s", lines: percentiles("first_token") });
  chart(inter, { title: "Time between tokens", unit: "s", lines: percentiles("inter_token") });
}
