// SPDX-License-Identifier: GPL-3.0-or-later
// Batch sizes, one after the other: so many streams at once, each with its requests in a row.
import { figures } from "./figures.js";
import { lanes } from "./lanes.js";
import { prompt } from "./prompt.js";
import { ask } from "./stream.js";

const now = () => performance.now() / 1000;

/** The runs, as they end, are handed to `onRun`; `signal` ends them all. */
export async function run(asked, { signal, onBatch, onStream, onText, onRun }) {
  const addresses = lanes(asked.url, Math.max(...asked.concurrencies));
  // What a browser asks of each name first, whether it may, is none of the server's time.
  await Promise.all(addresses.map((address, number) => one(asked, address, asked.seed * 7919 + number, { signal, onText() {}, tokens: 1 })));
  let number = 0;
  for (const concurrency of asked.concurrencies) {
    if (signal.aborted) return;
    onBatch(concurrency);
    const started = new Date();
    const samples = [];
    const stream = async (place) => {
      for (let round = 0; round < asked.rounds && !signal.aborted; round += 1) {
        const sample = { stream: place, round };
        onStream(place, null);
        Object.assign(sample, await one(asked, addresses[place % addresses.length], asked.seed * 1e6 + number++, { signal, onText: (text) => onText(place, text) }));
        samples.push(sample);
        onStream(place, sample);
      }
    };
    await Promise.all(Array.from({ length: concurrency }, (_, place) => stream(place)));
    onRun({ concurrency, repeat: 1, started: started.toISOString(), ...figures(samples), samples });
  }
}

function one(asked, address, seed, { signal, onText, tokens = asked.output_tokens }) {
  const body = {
    model: asked.model,
    messages: [{ role: "user", content: prompt(asked.words, seed) }],
    max_tokens: tokens,
    temperature: asked.temperature,
    seed: asked.seed,
    stream: true,
    stream_options: { include_usage: true },
    ...(asked.whole ? { ignore_eos: true } : {}),
  };
  return ask({ url: `${address}/chat/completions`, key: asked.key, body, signal, onText, now });
}
