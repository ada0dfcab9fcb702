// SPDX-License-Identifier: GPL-3.0-or-later
// Reads a report as people do.
import { overflows, readInput, withPage } from "./browser.mjs";

const wanted = await readInput();
const rows = (page, place) => page.locator(`${place} tbody tr`).evaluateAll((found) => found.map((row) => [...row.cells].map((cell) => cell.textContent)));

const seen = await withPage(wanted.window ?? {}, async (page, told) => {
  await page.goto(wanted.page);
  await page.waitForSelector("#throughput canvas");
  if (wanted.shot) await page.screenshot({ path: wanted.shot, fullPage: true });
  return {
    ...told, title: await page.title(), subtitle: await page.textContent("#subtitle"), verdict: await page.textContent("#verdict"),
    tiles: await page.locator(".tile").allTextContents(), table: await rows(page, "#table"), compared: await rows(page, "#comparison"),
    errors: await page.textContent("#errors"), about: Object.fromEntries(await rows(page, "#about")), overflows: await overflows(page),
  };
});
process.stdout.write(JSON.stringify(seen));
