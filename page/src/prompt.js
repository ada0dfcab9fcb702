// SPDX-License-Identifier: GPL-3.0-or-later
// Prompts of so many words, no two alike, and the same again with the same seed: a cache of prefixes helps none of them.

const WORDS = (
  "river stone lamp winter garden bridge paper engine harbour window silver market forest letter candle mountain " +
  "summer kitchen ribbon thunder village anchor copper island meadow pocket railway shadow teacher violin whisper yellow"
).split(" ");

/** A generator of numbers from 0 to 1 (mulberry32). */
export function random(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

export function prompt(words, seed) {
  const next = random(seed);
  const chosen = Array.from({ length: words }, () => WORDS[Math.floor(next() * WORDS.length)]);
  return `${seed}. Tell a long story in which these words come up: ${chosen.join(" ")}.`;
}

/** "1 2, 4" as numbers; throws with one sentence. */
export function batchSizes(text) {
  const sizes = text.split(/[\s,;]+/).filter(Boolean);
  const odd = sizes.find((size) => !/^[1-9]\d{0,3}$/.test(size));
  if (odd || !sizes.length) {
    throw new Error(`Batch sizes are numbers from 1 to 9999 with blanks between; ${odd ? `"${odd}" is none` : "there is none"}.`);
  }
  return [...new Set(sizes.map(Number))].sort((a, b) => a - b);
}
