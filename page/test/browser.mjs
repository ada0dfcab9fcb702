// SPDX-License-Identifier: GPL-3.0-or-later
// A real Chromium, Debian's, with a profile of its own; nothing of it asks anybody but the page's endpoint.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";

const FLAGS = [
  "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
];

/** work(page, told): `told` collects what the page asked for, and what its console said. */
export async function withPage({ scheme = "light", width = 1280, height = 900 }, work) {
  const profile = await mkdtemp(join(tmpdir(), "gh200-page-"));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", headless: true, args: FLAGS,
    colorScheme: scheme, viewport: { width, height }, acceptDownloads: true,
  });
  try {
    const page = context.pages()[0] ?? (await context.newPage());
    const told = { asked: [], said: [] };
    page.on("request", (request) => told.asked.push(request.url()));
    page.on("console", (message) => message.type() === "error" && told.said.push(message.text()));
    page.on("pageerror", (error) => told.said.push(String(error)));
    return await work(page, told, context);
  } finally {
    await context.close();
    await rm(profile, { recursive: true, force: true });
  }
}

/** Whether something is wider than the window. */
export const overflows = (page) => page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth);

export async function readInput() {
  let text = "";
  for await (const part of process.stdin) text += part;
  return JSON.parse(text);
}
