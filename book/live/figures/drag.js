// One digit, moved about its sheet under three readers, and where each keeps its answer.

import { fetched } from "../contents.js";
import { h } from "../dom.js";
import { Drawing } from "../drawing.js";
import { card, whenTouched } from "../figure.js";
import { convnet, mlp, neighbour } from "../readers.js";
import { MOST, Shifter, moved } from "../shifter.js";

const SIDE = 2 * MOST + 1; // places across, and down
const CELL = 10; // pixels of a map to a place
// Every place, those in the middle first.
const PLACES = Array.from({ length: SIDE * SIDE }, (_, i) => [(i % SIDE) - MOST, Math.floor(i / SIDE) - MOST]).sort(
  (a, b) => Math.hypot(...a) - Math.hypot(...b),
);
const [SAME, OTHER, HERE] = ["#ffb545", "#2a3249", "#e8ecf6"];

export function mount(place) {
  new Drag(place);
}

class Drag {
  constructor(place) {
    this.place = place;
    this.readers = [
      new Reader(place, "nearest neighbour", neighbour, () => this.#show()),
      new Reader(place, "MLP", mlp, () => this.#show()),
      new Reader(place, "ConvNet", convnet, () => this.#show()),
    ];
    const samples = async () => (await (await fetched(new URL("../train/digits.json", import.meta.url))).json()).samples;
    this.drawing = new Drawing((digit, finished) => this.#draw(digit, finished), samples);
    this.shifter = new Shifter(() => this.#show());
    this.say = card(
      place,
      h("p", { class: "look" }, "Draw a digit, and drag its copy: all three read it where it lies."),
      h(
        "div",
        { class: "stage" },
        this.drawing.element,
        this.shifter.element,
        h("div", { class: "answer readers" }, ...this.readers.map(({ element }) => element)),
      ),
      h(
        "p",
        { class: "hint legend" },
        "A square of a map is a place of your digit; far out, the sheet’s edge cuts it off. Amber: the answer is that " +
          "of the middle. The first two know the same training digits, all centred; the ConvNet was trained on more, " +
          "and they were moved about.",
      ),
    );
    this.say("Draw a digit.");
  }

  #draw(digit, finished) {
    this.finished = finished;
    this.shifter.show(digit);
    for (const reader of this.readers) {
      reader.digit = digit;
      if (digit) reader.reach();
      if (finished) reader.survey();
      else reader.forget();
    }
    this.#show();
  }

  /** Have everybody read the digit as it lies; of several calls the last one counts. */
  async #show() {
    const { place, shifter, readers } = this;
    const call = (this.call = {});
    const digit = shifter.moved;
    const answers = await Promise.all(readers.map((reader) => reader.read(digit)));
    if (call !== this.call) return;
    readers.forEach((reader, i) => reader.show(answers[i], shifter));
    const remark = this.drawing.remark(answers.at(-1)?.doubt); // the ConvNet's
    place.classList.toggle("doubted", remark !== "");
    if (!this.finished) return; // one sentence when the pen is up
    const said = readers.map(({ name }, i) => answers[i] && `${name} ${answers[i].answer}`).filter(Boolean);
    this.say(said.length ? `Your digit, ${shifter.where}: ${said.join(", ")}. ${remark}` : "Draw a digit.");
  }
}

/** One reader: its answer, and a map of the places where it gives the same. */
class Reader {
  digit = null;
  same = new Map(); // by place

  constructor(place, name, load, onReady) {
    this.name = name;
    this.says = h("strong", { class: "says" }, "?");
    this.sure = h("span", { class: "hint" });
    this.count = h("span", { class: "hint" });
    this.map = h("canvas", { class: "map", role: "img", width: SIDE * CELL, height: SIDE * CELL });
    this.element = h(
      "figure",
      { class: "reader", "data-reader": name },
      h("figcaption", {}, h("b", {}, name), this.says, this.sure, this.count),
      this.map,
    );
    const say = (text) => (this.sure.textContent = text);
    this.reach = whenTouched(place, say, async () => {
      this.reader = await load(say);
      say("");
      this.element.dataset.ready = "";
      this.survey();
      onReady();
    });
    this.show(null, { right: 0, down: 0 });
  }

  async read(digit) {
    return digit && this.reader ? this.reader(digit) : null;
  }

  /** A survey that goes on is of another digit. */
  forget() {
    this.same = new Map();
    this.#paint();
  }

  /** Read the digit in every place, a place at a time, so that the page stays free. */
  async survey() {
    this.forget();
    const { digit, same } = this;
    if (!digit || !this.reader) return;
    const middle = await this.reader(digit);
    for (const [right, down] of PLACES) {
      const { answer } = await this.reader(moved(digit, right, down));
      if (same !== this.same) return;
      same.set(`${right} ${down}`, answer === middle.answer);
      this.#paint();
      await new Promise((resolve) => setTimeout(resolve));
    }
  }

  show(answer, { right, down }) {
    this.says.textContent = answer ? answer.answer : "?";
    if (this.reader) this.sure.textContent = answer?.sure ?? "";
    this.here = [right, down];
    this.#paint();
  }

  #paint() {
    const context = this.map.getContext("2d");
    context.clearRect(0, 0, SIDE * CELL, SIDE * CELL);
    const square = ([right, down], inset) => [(right + MOST) * CELL + inset, (down + MOST) * CELL + inset, CELL - 2 * inset, CELL - 2 * inset];
    for (const place of PLACES) {
      const same = this.same.get(place.join(" "));
      if (same === undefined) continue;
      context.fillStyle = same ? SAME : OTHER;
      context.fillRect(...square(place, 0.5));
    }
    context.strokeStyle = HERE;
    context.lineWidth = 2;
    context.strokeRect(...square(this.here ?? [0, 0], 0));
    const count = [...this.same.values()].filter(Boolean).length;
    const said = this.same.size ? `same in ${count} of ${this.same.size}` : "";
    this.count.textContent = said;
    this.map.setAttribute("aria-label", `${this.name}: ${said ? `${said} places` : "no answers yet"}`);
  }
}
