// What living figures share: the card, its controls, and data that come when wanted.

import { fetched } from "./contents.js";
import { h } from "./dom.js";

/**
 * Put a card into its place. Returns a function that shows a sentence at its end, where
 * a screen reader says it; with false as well, the sentence is shown only.
 */
export function card(place, ...parts) {
  const status = h("p", { role: "status", class: "hint" });
  place.append(h("div", { class: "pad" }, ...parts, status));
  place.classList.add("ready");
  let heard; // the first sentence stands there unasked, and is not read out
  return (text, aloud = true) => {
    const first = heard === undefined;
    aloud &&= !first;
    status.setAttribute("aria-live", aloud ? "polite" : "off");
    if (status.textContent !== text || (aloud && heard !== text)) status.textContent = text;
    if (aloud || first) heard = text;
  };
}

export const button = (label, onclick, attributes = {}) =>
  h("button", { type: "button", onclick, ...attributes }, label);

/** A row of controls. */
export const row = (...parts) => h("div", { class: "controls" }, ...parts);

/**
 * A slider over a list of values. onValue(value) is told of each that the reader sets;
 * say(value) is how one reads it.
 */
export class Slider {
  constructor(name, values, start, onValue, say = String) {
    this.values = values;
    this.say = say;
    this.shown = h("b", { "aria-hidden": "true" });
    this.input = h("input", {
      type: "range", min: 0, max: values.length - 1, step: 1,
      oninput: () => {
        this.#show();
        onValue(this.value);
      },
    });
    this.element = h("label", { class: "slider" }, h("span", {}, name, this.shown), this.input);
    this.value = start;
  }

  get value() {
    return this.values[this.input.value];
  }

  set value(value) {
    this.input.value = this.values.indexOf(value);
    this.#show();
  }

  #show() {
    this.shown.textContent = this.say(this.value);
    this.input.setAttribute("aria-valuetext", this.say(this.value));
  }
}

/**
 * A function that has load() fetch what a figure needs, once, and returns a promise of
 * it; it is called, too, when the reader reaches for the figure. If that fails, it says
 * so and promises undefined; the next touch tries again.
 */
export function whenTouched(place, say, load) {
  let loaded;
  const reach = () => {
    loaded ??= load().then(
      (result) => {
        place.dataset.ready = "";
        return result;
      },
      (error) => {
        console.error(error);
        loaded = undefined;
        say("The data could not be loaded: check the connection, then touch the figure again.");
      },
    );
    return loaded;
  };
  for (const name of ["focusin", "click"]) place.addEventListener(name, reach);
  return reach;
}

/** What book/extensions/live_figures.py wrote for a figure: [numbers with names, bytes]. */
export async function written(name) {
  const files = [`${name}.json`, `${name}.bin`].map((file) => new URL(`figures/${file}`, import.meta.url));
  const [info, packed] = await Promise.all(files.map(fetched));
  const unpacked = new Response(packed.body.pipeThrough(new DecompressionStream("deflate")));
  return [await info.json(), await unpacked.arrayBuffer()];
}
