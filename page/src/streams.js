// SPDX-License-Identifier: GPL-3.0-or-later
// What the streams say, live. Written once in a frame, however fast the chunks come.
import { make, number, time } from "./dom.js";

const TAIL = 260;

export class Streams {
  constructor(place, title) {
    this.place = place;
    this.title = title;
    this.cards = [];
    this.dirty = new Set();
  }

  begin(count) {
    this.title.textContent = `Streams, ${count} at once`;
    this.cards = Array.from({ length: count }, (_, place) => {
      const text = make("span");
      const figure = make("span", { class: "muted" });
      const card = make("div", { class: "stream" }, make("header", {}, make("span", {}, `${place + 1}`), figure), make("p", {}, text));
      return { card, text, figure, said: "" };
    });
    this.dirty.clear();
    this.place.replaceChildren(...this.cards.map((card) => card.card));
  }

  /** No sample: a request begins. */
  state(place, sample) {
    const card = this.cards[place];
    if (!sample) {
      card.said = "";
      card.card.className = "stream runs";
      card.figure.textContent = "waits";
      return;
    }
    card.card.className = `stream ${sample.error ? "failed" : sample.stopped ? "" : "done"}`;
    if (sample.error) card.said = sample.error;
    card.figure.textContent = sample.error
      ? "failed"
      : sample.stopped
        ? "stopped"
        : `${number(sample.tokens, 0)} tokens in ${time(sample.end - sample.start)}`;
    this.touch(place);
  }

  text(place, text) {
    const card = this.cards[place];
    if (!card.said) card.figure.textContent = "speaks";
    card.said = (card.said + text).slice(-TAIL);
    this.touch(place);
  }

  touch(place) {
    if (!this.dirty.size) requestAnimationFrame(() => this.write());
    this.dirty.add(place);
  }

  write() {
    for (const place of this.dirty) {
      const card = this.cards[place];
      if (card) card.text.textContent = card.said;
    }
    this.dirty.clear();
  }

  end() {
    this.write();
  }
}
