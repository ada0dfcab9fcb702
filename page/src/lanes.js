// SPDX-License-Identifier: GPL-3.0-or-later
// A browser opens six connections to one name. Every name below localhost is this machine, so that as many names as
// needed lead through the same tunnel to the same server.

const EACH = 6;
// Of all names together: what browsers allow.
export const MOST = 250;

const isLocal = (host) => host === "localhost" || host.endsWith(".localhost") || host === "127.0.0.1" || host === "[::1]";

/** Addresses for so many streams at once, the given one alone where it is another machine's. */
export function lanes(base, streams) {
  const url = new URL(base);
  if (!isLocal(url.hostname) || url.protocol !== "http:" || streams <= EACH) return [base];
  return Array.from({ length: Math.ceil(streams / EACH) }, (_, number) => {
    const other = new URL(base);
    other.hostname = `s${number + 1}.localhost`;
    return other.href.replace(/\/$/, "");
  });
}

/** A sentence where so many cannot be at once, else an empty text. */
export function limit(addresses, streams) {
  if (streams > MOST) return `A browser keeps ${MOST} connections at the most: batches beyond that wait within it.`;
  if (streams <= addresses.length * EACH) return "";
  return (
    `A browser opens ${EACH} connections to one name, so of ${streams} at once the others wait within it. ` +
    "Through a tunnel to localhost the page uses more names; playbooks/load_test.yml has no such bound."
  );
}
