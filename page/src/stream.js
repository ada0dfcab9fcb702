// SPDX-License-Identifier: GPL-3.0-or-later
// One streamed request, and when what came. Tokens are what the server counts, in the usage of its last event.
import { createParser } from "eventsource-parser";

/** Never throws: what went wrong is `error` of the answer, one sentence. `now` is in seconds. */
export async function ask({ url, key, body, signal, onText, now }) {
  const seen = { start: now(), first: null, last: null, end: null, tokens: null, prompt_tokens: 0, chunks: 0, gaps: [] };
  try {
    await follow({ url, key, body, signal, onText, now }, seen);
  } catch (error) {
    if (signal.aborted) seen.stopped = true;
    else seen.error = error instanceof Refused ? error.message : broken(error, seen);
  }
  seen.end = now();
  delete seen.answered;
  return seen;
}

export class Refused extends Error {}

async function follow({ url, key, body, signal, onText, now }, seen) {
  const response = await fetch(url, {
    method: "POST",
    headers: { "Content-Type": "application/json", ...authorization(key) },
    body: JSON.stringify(body),
    signal,
    cache: "no-store",
    credentials: "omit",
    referrerPolicy: "no-referrer",
  });
  if (!response.ok) throw new Refused(await refusal(response));
  seen.answered = true;
  let done = false;
  const parser = createParser({
    onEvent({ data }) {
      if (data.trim() === "[DONE]") done = true;
      else note(JSON.parse(data), seen, onText, now);
    },
  });
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { value, done: ended } = await reader.read();
    if (ended) break;
    parser.feed(value);
  }
  if (!done) throw new Refused(`the stream ended without its end mark`);
  if (seen.tokens === null) throw new Refused("the answer has no usage, so its tokens are not known");
}

function note(event, seen, onText, now) {
  if (event.error || event.object === "error") throw new Refused(`error within the stream: ${words(event)}`);
  if (event.usage) {
    seen.tokens = event.usage.completion_tokens;
    seen.prompt_tokens = event.usage.prompt_tokens;
  }
  for (const choice of event.choices ?? []) {
    const thought = choice.delta?.reasoning_content ?? choice.delta?.reasoning ?? "";
    const text = choice.delta?.content ?? choice.text ?? "";
    // A chunk that names the role, or has no text, is no sign of a token.
    if (!thought && !text) continue;
    const time = now();
    if (seen.first === null) seen.first = time;
    else seen.gaps.push(time - seen.last);
    seen.last = time;
    seen.chunks += 1;
    onText(thought + text);
  }
}

export const authorization = (key) => (key ? { Authorization: `Bearer ${key}` } : {});

/** What a refusal says, in the forms that servers give it. */
export async function refusal(response) {
  const text = await response.text().catch(() => "");
  let said = text;
  try {
    said = words(JSON.parse(text));
  } catch {
    // It is no JSON: the text itself is told.
  }
  return `HTTP ${response.status}: ${said.trim().slice(0, 300) || "no reason was given"}`;
}

function words(body) {
  const said = body.error?.message ?? body.message ?? body.error ?? body.detail ?? body;
  return typeof said === "string" ? said : JSON.stringify(said);
}

function broken(error, seen) {
  // What had come just before the end may be lost with it.
  if (seen.answered) return "the connection broke in the middle of the answer";
  return error instanceof TypeError ? "no answer came: nothing listens there, or the connection was closed" : String(error.message ?? error);
}
