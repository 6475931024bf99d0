// Where a network found what speaks for a class: any block, any class, ten digits.

import { a, h, number, signed } from "../dom.js";
import { paint } from "../draw.js";
import { button, card, whenTouched, written } from "../figure.js";
import { rove } from "../roving.js";
import { BLUE, RED, strongest } from "../seen.js";

const PIXELS = 28;
const CELL = 12; // pixels of the canvas to one square
const SIDE = PIXELS * CELL;
const CLASSES = [...Array(10).keys()];
const EDGE = 2; // the middles of the places' windows spread over all but two pixels at each side
const SMALL = 48; // the side of a small map's canvas

export function mount(place) {
  new Heatmap(place);
}

class Heatmap {
  digit = 4;
  block = 3;
  class = 4;

  constructor(place) {
    this.digits = CLASSES.map((digit) => choice(PIXELS, a(digit), String(digit), () => this.#choose({ digit, class: digit })));
    this.blocks = [0, 1, 2, 3].map((block) => button(`${block + 1}`, () => this.#choose({ block }), { "aria-label": `Block ${block + 1}` }));
    this.classes = CLASSES.map((c) => choice(SMALL, "", String(c), () => this.#choose({ class: c })));
    this.canvas = h("canvas", { width: SIDE, height: SIDE, role: "img", "aria-label": "No map yet" });
    [this.least, this.most, this.unit] = [h("span"), h("span"), h("small")];
    this.name = h("h3", {}, "The map of your digit");
    this.says = h("div", { class: "adds", "aria-live": "polite" });
    this.source = h("p", { class: "hint source" });
    this.say = card(
      place,
      h("p", { class: "look" }, "Which place speaks for which class, and what does the map of an earlier block promise?"),
      group("Digit", this.digits, "digits"),
      group("Block", this.blocks, "group"),
      h(
        "div",
        { class: "explained" },
        h("div", {}, h("div", { class: "title" }, this.name), h("div", { class: "seen" }, this.canvas)),
        h(
          "div",
          {},
          group("Class, with its logit", this.classes, "classes"),
          h("p", { class: "scale" }, this.least, h("i"), this.most, this.unit),
          this.says,
        ),
      ),
    );
    place.querySelector(".pad").append(this.source);
    for (const list of place.querySelectorAll("[data-rove]")) rove(list);
    this.say("Nothing has been fetched yet: choose a digit.");
    this.reach = whenTouched(place, this.say, async () => {
      this.say("Fetching the maps …");
      this.data = await load();
      this.source.textContent = this.data.source;
      this.digits.forEach((each, n) => paint(each.querySelector("canvas"), this.data.images[n]));
      this.#show();
    });
  }

  #choose(what) {
    Object.assign(this, what);
    if (this.data) this.#show();
    else this.reach();
  }

  #show() {
    const { data, digit, block } = this;
    const side = data.sides[block];
    const maps = data.maps[block][digit]; // of the ten classes
    const limit = Math.max(...maps.flatMap((map) => map.map(Math.abs)));
    pressed(this.digits, digit);
    pressed(this.blocks, block);
    pressed(this.classes, this.class);
    this.classes.forEach((each, c) => {
      each.lastChild.replaceChildren(h("b", {}, String(c)), ` ${number(data.logits[digit][c], 1)}`);
      paintMap(each.querySelector("canvas"), maps[c], side, limit);
    });
    paintMap(this.canvas, maps[this.class], side, limit);
    paintInk(this.canvas, data.images[digit]);
    this.least.textContent = `−${number(limit)}`;
    this.most.textContent = `+${number(limit)}`;
    this.unit.textContent = `in the logit, by one of ${side * side} places; one scale for all ten classes`;
    this.#explain(maps[this.class], side * side);
  }

  /** What all places add up to, and what is missing to the logit. */
  #explain(map, places) {
    const { data, digit, block } = this;
    const logit = data.logits[digit][this.class];
    const sum = map.reduce((a, b) => a + b, 0);
    const last = block === data.sides.length - 1;
    this.name.textContent = `Block ${block + 1}: what speaks for ${this.class}`;
    this.canvas.setAttribute(
      "aria-label",
      `The ${digit}, and the map of block ${block + 1} for class ${this.class}: ${places} places, blue for it and red against it; ${strongest(map, data.sides[block])}`,
    );
    this.says.replaceChildren(
      ...[[`the ${places} places`, sum], [last ? "the bias of the class" : "biases, at no place", logit - sum], ["the logit", logit]].map(([name, value]) =>
        h("div", {}, h("span", {}, name), h("b", {}, signed(value))),
      ),
    );
    this.say(
      last
        ? `After the last block all is linear: the places of the map and one bias, the same for every digit, are the logit of the ${this.class}.`
        : `After block ${block + 1} biases and ReLUs still come. The map tells what a small change of a place would do to the logit of the ${this.class}; the places alone are not the answer, and another digit has another rest.`,
    );
  }
}

/** Buttons in a row, of which one Tab stop reaches the last used. */
const group = (name, buttons, kind) =>
  h("div", { class: "choices" }, h("p", { class: "hint" }, name), h("div", { class: kind, "data-rove": "", "aria-label": name }, ...buttons));

/** A button with a picture and, below it, words, or else a name. */
function choice(side, name, words, onclick) {
  const canvas = h("canvas", { width: side, height: side, "aria-hidden": "true" });
  const made = button(canvas, onclick, { class: "choice", ...(name && { "aria-label": name }) });
  made.append(h("span", {}, words));
  return made;
}

const pressed = (buttons, chosen) => buttons.forEach((each, i) => each.setAttribute("aria-pressed", String(i === chosen)));

/** Each place is a square in the middle of what it sees, as in the chapter. */
function paintMap(canvas, map, side, limit) {
  const context = canvas.getContext("2d");
  const pixel = canvas.width / PIXELS;
  const square = ((PIXELS - 2 * EDGE) / side) * pixel;
  context.clearRect(0, 0, canvas.width, canvas.width);
  map.forEach((value, i) => {
    context.fillStyle = `rgb(${(value > 0 ? BLUE : RED).join(" ")} / ${(0.92 * Math.abs(value)) / limit})`;
    context.fillRect(EDGE * pixel + (i % side) * square, EDGE * pixel + Math.floor(i / side) * square, square, square);
  });
}

/** The ink as small squares, between which the map is seen. */
function paintInk(canvas, image) {
  const context = canvas.getContext("2d");
  image.forEach((value, i) => {
    context.fillStyle = `rgb(255 181 69 / ${value})`;
    context.fillRect((i % PIXELS) * CELL + 3, Math.floor(i / PIXELS) * CELL + 3, CELL - 6, CELL - 6);
  });
}

/** The maps by block, digit and class, and the digits, 28 × 28 in [0, 1]. */
export async function load() {
  const [{ sides, step, ...info }, buffer] = await written("heatmap");
  let at = 0;
  const take = (kind, count, unit) => {
    const values = new kind(buffer, at, count);
    at += values.byteLength;
    return Array.from(values, (value) => value * unit);
  };
  const maps = sides.map((side) => CLASSES.map(() => CLASSES.map(() => take(Int16Array, side * side, step))));
  const images = CLASSES.map(() => take(Uint8Array, PIXELS * PIXELS, 1 / 255));
  return { sides, maps, images, ...info };
}
