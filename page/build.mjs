// SPDX-License-Identifier: GPL-3.0-or-later
// Each page as one file, with all that it needs: node build.mjs [FOLDER]; without it, to where the role has them.
import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { join } from "node:path";
import { build } from "esbuild";

const here = fileURLToPath(new URL(".", import.meta.url));
const target = process.argv[2] ?? join(here, "../roles/load_test/files");
const PAGES = { "load_test.html": { script: "main.js", uses: ["eventsource-parser", "uplot"] }, "load_report.html": { script: "report.js", uses: ["uplot"] } };

const read = (...parts) => readFile(join(here, ...parts), "utf8");
const escaped = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");

async function bundle(entry) {
  const done = await build({ entryPoints: [join(here, "src", entry)], bundle: true, write: false, minify: true, format: "esm", target: "es2022", charset: "utf8", legalComments: "none", logLevel: "error" });
  // The end of the element that it stands in.
  return done.outputFiles[0].text.replaceAll("</script", "<\\/script");
}

async function licences(names) {
  const texts = names.map(async (name) => {
    const { version } = JSON.parse(await read("node_modules", name, "package.json"));
    return `${name} ${version}\n\n${(await read("node_modules", name, "LICENSE")).trim()}`;
  });
  return escaped(["The page itself: GPL-3.0-or-later. It contains:", ...(await Promise.all(texts))].join("\n\n"));
}

for (const [name, { script, uses }] of Object.entries(PAGES)) {
  const style = (await read("node_modules/uplot/dist/uPlot.min.css")) + (await read("src/style.css"));
  const parts = { style: style.replace(/\/\* SPDX.*?\*\/\n/, ""), script: await bundle(script), licences: await licences(uses) };
  let page = await read("src", name);
  for (const [part, text] of Object.entries(parts)) page = page.replace(`/* ${part} */`, () => text.trim());
  await writeFile(join(target, name), page);
}
