// SPDX-License-Identifier: GPL-3.0-or-later
// Elements from names and texts. What a server says becomes text, never markup.

export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children.filter((child) => child !== null));
  return element;
}

export const byId = (name) => document.getElementById(name);

/** 1234.5 as "1,235"; small numbers keep what tells. */
export function number(value, digits = value !== null && Math.abs(value) < 10 ? 2 : Math.abs(value) < 100 ? 1 : 0) {
  return value === null || value === undefined ? "–" : value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** Seconds in the unit that reads best. */
export function time(seconds) {
  if (seconds === null || seconds === undefined) return "–";
  if (seconds === 0) return "0";
  const milli = seconds * 1000;
  return seconds < 1 ? `${number(milli, milli < 1 ? 2 : milli < 10 ? 1 : 0)} ms` : `${number(seconds, seconds < 10 ? 2 : 1)} s`;
}

export function save(name, type, text) {
  const link = make("a", { download: name, href: URL.createObjectURL(new Blob([text], { type })) });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}
