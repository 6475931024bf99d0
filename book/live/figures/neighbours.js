// The nearest training digits to the reader's own, which can be moved to break them.

import { a, h, number } from "../dom.js";
import { digitCanvas, paint } from "../draw.js";
import { Drawing } from "../drawing.js";
import { Slider, card, whenTouched } from "../figure.js";
import { distance, nearest, vote } from "../nearest.js";
import { Shifter } from "../shifter.js";
import { load } from "../train/digits.js";

const SHOWN = 10;

export function mount(place) {
  new Neighbours(place);
}

class Neighbours {
  constructor(place) {
    this.place = place;
    this.drawing = new Drawing((digit, finished) => this.#draw(digit, finished), async () => (await this.reach())?.info.samples);
    this.shifter = new Shifter(() => this.#find());
    this.says = h("strong", { class: "says" }, "?");
    this.cells = Array.from({ length: SHOWN }, () => {
      const [canvas, caption] = [digitCanvas("No neighbour yet"), h("figcaption", {}, "–")];
      return { canvas, caption, element: h("figure", {}, canvas, caption) };
    });
    this.k = new Slider("How many of them vote", [1, 3, 5, 10], 1, () => this.#show());
    this.own = h("p", { class: "hint own" });
    this.source = h("p", { class: "hint source" });
    this.say = card(
      place,
      h("p", { class: "look" }, "Draw a digit, then drag its copy about: how far does it get before its nearest neighbour is another digit?"),
      h(
        "div",
        { class: "stage" },
        this.drawing.element,
        this.shifter.element,
        h(
          "div",
          { class: "answer" },
          h("div", { class: "title" }, h("h3", {}, "its neighbours say"), this.says),
          h("div", { class: "neighbours" }, ...this.cells.map(({ element }) => element)),
          this.k.element,
          this.own,
        ),
      ),
    );
    place.querySelector(".pad").append(this.source);
    this.say("Draw a digit.");
    this.reach = whenTouched(place, this.say, async () => {
      this.say("Fetching the training digits …");
      const digits = await load(new URL("../train/", import.meta.url));
      this.source.textContent = `Searched are the training digits only: whatever you draw, one of them is the nearest. ${digits.info.source}`;
      this.say("Draw a digit.");
      return digits;
    });
  }

  #draw(digit, finished) {
    this.finished = finished;
    this.shifter.show(digit);
    this.#find();
  }

  /** Search for the neighbours of the digit as it lies once the digits are there. */
  async #find() {
    if (this.searching) return;
    this.searching = true;
    const digits = await this.reach();
    this.searching = false;
    if (!digits) return;
    const digit = this.shifter.moved;
    this.found = digit && nearest(digits.train, digit, SHOWN);
    this.#show();
  }

  #show() {
    const { found, shifter, k } = this;
    const votes = found && vote(found.slice(0, k.value));
    const remark = this.drawing.remark();
    this.place.classList.toggle("doubted", remark !== "");
    this.says.textContent = found ? votes[0][0] : "?";
    this.place.dataset.prediction = found ? votes[0][0] : "";
    this.cells.forEach(({ canvas, caption, element }, i) => {
      const { image, target, distance } = found?.[i] ?? {};
      paint(canvas, Float32Array.from(image ?? [], (value) => value / 255));
      if (!image) canvas.width = canvas.width; // empty
      caption.replaceChildren(...(image ? [h("b", {}, String(target)), ` ${number(distance, 1)}`] : ["–"]));
      canvas.setAttribute("aria-label", image ? `${a(target)} at a distance of ${number(distance, 1)}` : "No neighbour yet");
      element.classList.toggle("votes", Boolean(found) && i < k.value);
    });
    if (!found) {
      this.own.textContent = "";
      return this.say("Draw a digit.");
    }
    const [{ target, distance: near }] = found;
    const copy = distance(shifter.digit, shifter.moved);
    this.own.textContent = copy
      ? `From where you drew it, it is ${number(copy, 1)} away, ${copy > near ? "farther than" : "nearer than"} the nearest neighbour.`
      : "";
    if (!this.finished) return; // one sentence when the pen is up
    const said = votes.map(([digit, count]) => `${count} for ${digit}`).join(", ");
    this.say(
      `Your digit, ${shifter.where}: the nearest is ${a(target)}, at a distance of ${number(near, 1)}.` +
        (k.value > 1 ? ` The vote of ${k.value}: ${said}. ` : " ") +
        remark,
    );
  }
}
