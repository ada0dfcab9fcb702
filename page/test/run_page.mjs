// SPDX-License-Identifier: GPL-3.0-or-later
// Uses load_test.html as people do; what to do comes as JSON by stdin, what was seen goes to stdout. The key is in neither's name.
import { readFile } from "node:fs/promises";
import { overflows, readInput, withPage } from "./browser.mjs";

const wanted = await readInput();

async function fill(page) {
  for (const [name, value] of Object.entries(wanted.fields ?? {})) await page.fill(`#${name}`, String(value));
  await page.fill("#key", wanted.key);
  await page.dispatchEvent("#key", "change");
}

const download = async (page, button) => {
  const [file] = await Promise.all([page.waitForEvent("download"), page.click(button)]);
  return readFile(await file.path(), "utf8");
};

const seen = await withPage(wanted.window ?? {}, async (page, told, context) => {
  await page.goto(wanted.page);
  await fill(page);
  const read = { url: await page.inputValue("#url") };
  if (wanted.refused) {
    await page.waitForSelector("#status.bad");
    return { ...read, ...told, status: await page.textContent("#status") };
  }
  await page.waitForFunction(() => document.getElementById("model").value);
  await page.click("#start");
  if (wanted.started_badly) {
    await page.waitForSelector("#status.bad");
    return { ...read, ...told, status: await page.textContent("#status") };
  }
  if (wanted.stop_after_text) {
    await page.waitForFunction(() => document.querySelector(".stream p span")?.textContent);
    await page.click("#stop");
  }
  if (wanted.shot_live) {
    await page.waitForTimeout(wanted.shot_live_after ?? 1500);
    await page.screenshot({ path: wanted.shot_live, fullPage: true });
  }
  await page.waitForFunction(() => /^(Done|Stopped)/.test(document.getElementById("status").textContent), null, { timeout: 240000 });
  const result = await page.isEnabled("#json") ? JSON.parse(await download(page, "#json")) : null;
  const csv = result ? await download(page, "#csv") : "";
  if (wanted.shot) await page.screenshot({ path: wanted.shot, fullPage: true });
  return {
    ...read, ...told, result, csv,
    status: await page.textContent("#status"), warning: await page.textContent("#warning"), errors: await page.locator("#errors li").allTextContents(),
    table: await page.locator("#table tbody tr").evaluateAll((rows) => rows.map((row) => [...row.cells].map((cell) => cell.textContent))),
    texts: await page.locator(".stream p span").allTextContents(),
    overflows: await overflows(page),
    kept: await page.evaluate(() => JSON.stringify({ ...localStorage, ...sessionStorage, hash: location.href, cookies: document.cookie })),
    cookies: JSON.stringify(await context.cookies()),
  };
});
process.stdout.write(JSON.stringify(seen));
