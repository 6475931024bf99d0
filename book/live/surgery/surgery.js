// The operating table: what the other files do, put together in one place of a page.

import { Bars, percent } from "../bars.js";
import { center } from "../center.js";
import { a, h, number } from "../dom.js";
import { hardly, measureDoubt } from "../doubt.js";
import { inOrder } from "../order.js";
import { Ours } from "../ours.js";
import { samples } from "../samples.js";
import { Seen } from "../seen.js";
import { Sheet } from "../sheet.js";
import { skipTo } from "../skip.js";
import { softmax } from "../softmax.js";
import { ink, load } from "../train/digits.js";
import { Grid } from "./grid.js";
import { Masks } from "./masks.js";
import { Needs } from "./needs.js";
import { donors, run } from "./network.js";
import { Result } from "./result.js";
import { Thousand } from "./thousand.js";
import { Tools } from "./tools.js";

const TRIED = 0.2; // the part of the digits on which each map is tried
const INVITATION = "Draw a digit or take one: the network is fetched, and its maps lie below.";

/** Put an operating table into a place of the page. */
export function mount(place) {
  new Surgery(place);
  skipTo(place);
}

class Surgery {
  block = 1;
  digit = null; // what the network sees, 28 × 28 in [0, 1]
  pointed = null; // the class under the pointer
  chosen = null; // the class that was clicked

  constructor(place) {
    this.place = place;
    this.sheet = new Sheet(
      (finished) => this.#drawn(finished),
      (digit) => this.#sample(digit),
    );
    this.seen = new Seen();
    this.bars = new Bars("How sure it is", (...point) => this.#point(...point));
    this.grid = new Grid((channel) => this.#operate(channel));
    this.tools = new Tools((block) => this.#turn(block), () => this.#mend(), () => this.#become());
    this.result = new Result();
    this.needs = new Needs(() => this.#try(), (channels) => this.#cutMany(channels));
    this.says = h("strong", { class: "says" }, "?");
    this.caption = h("p", { class: "hint" });
    this.status = h("p", { role: "status", class: "state" }, INVITATION);
    this.told = h("p", { class: "visually-hidden", "aria-live": "polite" }); // what can be seen
    this.progress = h("progress", { "aria-label": "Loading the network" });
    this.progress.hidden = true;
    this.source = h("p", { class: "hint source" });

    place.append(this.#layout());
    place.classList.add("ready");
    this.#show();
    // A touch, a click or a key fetches the network; who passes by fetches nothing.
    for (const name of ["focusin", "click"]) place.addEventListener(name, () => this.#reach());
    this.sheet.canvas.addEventListener("pointerdown", () => this.#reach());
  }

  #layout() {
    const button = (label, onclick) => h("button", { type: "button", onclick }, label);
    const offers = samples((digit) => this.#sample(digit));
    offers.append(button("Take a validation digit", () => this.#validation()));
    this.invitation = h("span", { class: "invitation", "aria-hidden": "true" }, "Draw a digit here");
    const stage = h(
      "div",
      { class: "stage" },
      h(
        "div",
        { class: "draw" },
        h("div", { class: "title" }, h("h3", {}, "You draw"), button("Clear", () => this.sheet.clear())),
        h("div", { class: "paper" }, this.sheet.canvas, this.invitation),
      ),
      h("div", { class: "sees" }, h("div", { class: "title" }, h("h3", {}, "the network sees")), this.seen.frame),
      offers,
      this.seen.scale,
      h(
        "div",
        { class: "answer" },
        h("div", { class: "title" }, h("h3", {}, "and says"), this.says),
        h("div", { class: "both" }, this.bars.element),
        this.caption,
      ),
    );
    inOrder(stage);
    this.operation = h(
      "div",
      { class: "operation" },
      this.tools.element,
      this.grid.element,
      h("h3", {}, "What it costs"),
      this.result.element,
      h("h3", {}, "Which maps does each digit need?"),
      this.needs.element,
      this.source,
    );
    this.operation.hidden = true; // until there is a network
    return h("div", { class: "pad" }, stage, this.progress, this.status, this.told, this.operation);
  }

  /** Fetch the network and the digits, once. */
  #reach() {
    this.reached ??= this.#load().catch((error) => this.#failed(error));
    return this.reached;
  }

  #failed(error) {
    console.error(error);
    this.reached = undefined;
    this.progress.hidden = true;
    this.#say("The network could not be loaded: check the connection, then touch the card again.");
  }

  async #load() {
    this.progress.hidden = false;
    this.#say("Loading the network …");
    const [{ info, val }, { convnet, doubt }] = await Promise.all([
      load(new URL(".", import.meta.url)),
      Ours.first(),
    ]);
    Object.assign(this, { info, val, convnet, doubt });
    this.whole = new Masks(info).numbers();
    this.masks = new Masks(info, donors(convnet, info.samples, this.whole));
    this.source.textContent = info.source;
    this.progress.hidden = true;
    this.#turn(this.block);
    this.operation.hidden = false;
    this.place.dataset.ready = "";
    this.#read();
    // The reader need not wait for the count.
    this.counting = this.#startCounting(val).catch((error) => this.#failed(error));
  }

  async #startCounting(val) {
    this.thousand = await Thousand.start(val);
    return this.#count();
  }

  async #sample(digit) {
    const untouched = this.sheet.watch();
    await this.#reach();
    if (this.info && untouched()) this.sheet.play(this.info.samples[digit]);
  }

  async #validation() {
    const untouched = this.sheet.watch();
    await this.#reach();
    if (!this.val || !untouched()) return;
    const index = Math.floor(Math.random() * this.val.targets.length);
    this.sheet.clear();
    this.digit = ink(this.val.images, [index]);
    this.#read();
  }

  #drawn(finished) {
    this.told.textContent = ""; // it was about another drawing
    this.invitation.hidden = !this.sheet.empty;
    this.digit = this.sheet.empty ? null : center(this.sheet.ink);
    if (finished) this.seen.land(this.sheet, this.digit, true);
    this.#read(finished);
  }

  #point(digit, chosen) {
    if (chosen) this.chosen = this.chosen === digit ? null : digit;
    else this.pointed = digit;
    this.#show();
    if (chosen) this.told.textContent = this.chosen === null ? "" : this.caption.textContent;
  }

  /** Another block comes onto the table. */
  #turn(block) {
    this.block = block;
    const [count, side] = this.info.sizes[block];
    this.grid.lay(block, count, side);
    this.needs.clear(block, count);
    this.#show();
    this.#recount();
  }

  #operate(channel) {
    this.masks.toggle(this.block, channel, this.tools.kind, this.tools.factor);
    this.#changed();
  }

  /** Something else stands in for the block's changed maps. */
  #become() {
    this.masks.become(this.block, this.tools.kind, this.tools.factor);
    if (!this.masks.none) this.#changed();
  }

  #cutMany(channels) {
    this.masks.cuts[this.block].clear();
    for (const channel of channels) this.masks.toggle(this.block, channel, this.tools.kind, this.tools.factor);
    this.needs.cost.textContent = "Reading the validation digits …";
    this.#changed();
  }

  #mend() {
    this.masks.clear();
    this.#changed();
  }

  #changed() {
    this.#read();
    this.needs.stop();
    this.#recount();
  }

  /** Read the digit; while the pen is on its way, nothing is said. */
  #read(finished = true) {
    if (!this.masks) return; // the network is not here yet
    const start = performance.now();
    const { convnet, digit } = this;
    if (digit !== this.read?.digit) this.read = { digit, kept: [], keptWhole: [] };
    if (digit) {
      const { kept, keptWhole } = this.read;
      const before = run(convnet, digit, this.whole, keptWhole);
      this.read.before = softmax(before.logits);
      this.read.doubt = measureDoubt(this.doubt, before);
      this.read.answer = run(convnet, digit, this.masks.numbers(), kept);
    }
    this.#show(finished);
    performance.measure("live-surgery", { start });
  }

  #recount() {
    if (this.thousand) this.counting = this.#count();
    return this.counting;
  }

  /** Read all validation digits, as long as nothing changes the while. */
  async #count() {
    delete this.place.dataset.accuracy;
    const turn = this.thousand.begin();
    const start = performance.now();
    const read = (masks) => this.thousand.read(turn, masks, 1, (share) => this.result.wait(share));
    this.intact ??= await read(new Masks(this.info).numbers());
    const tally = this.masks.none ? this.intact : await read(this.masks.numbers());
    if (!tally || turn !== this.thousand.turn) return;
    performance.measure("live-thousand", { start });
    this.result.show(tally, this.intact);
    this.needs.cost.textContent = this.result.headline.textContent;
    this.place.dataset.accuracy = tally.accuracy;
  }

  /** Try each map of the block: the digits lose of their lead what it gave them. */
  async #try() {
    await this.#reach();
    for (let seen; seen !== this.counting; ) await (seen = this.counting); // also a newer one
    if (!this.thousand) return; // it could not be loaded, and that is said
    const turn = this.thousand.begin();
    const { block } = this;
    this.needs.clear(block, this.info.means[block].length);
    const read = (masks) => this.thousand.read(turn, masks, TRIED);
    const before = await read(this.masks.numbers());
    for (let channel = 0; channel < this.info.means[block].length; channel++) {
      const tally = before && (await read(this.masks.without(block, channel)));
      if (!tally) return;
      this.needs.add(channel, before.lead.map((lead, digit) => lead - tally.lead[digit]));
    }
    this.needs.finish(before.count, this.masks.none ? "" : this.masks.sentence());
  }

  #show(finished = true) {
    const { answer, before, doubt } = this.read ?? {};
    const probabilities = answer ? softmax(answer.logits) : null;
    const best = probabilities && probabilities.indexOf(Math.max(...probabilities));
    this.place.dataset.prediction = best ?? "";
    this.says.textContent = best ?? "?";
    const odd = answer && !this.sheet.empty ? hardly(this.sheet.ink, this.digit, doubt) : "";
    this.place.classList.toggle("doubted", odd !== "");
    this.bars.show(probabilities, this.chosen);
    this.bars.rows.forEach(({ row }, digit) => row.style.setProperty("--was", before?.[digit] ?? -1));
    const asked = this.pointed ?? this.chosen;
    const heat = this.#heat(answer, asked ?? best);
    this.seen.show(this.digit ?? [], heat);
    this.#label(answer, asked ?? best, heat);
    if (odd && asked === null) this.caption.textContent = odd; // beside the answer
    if (!this.masks) return;
    const { block, masks } = this;
    this.grid.show(answer?.maps[block], masks.numbers()[block], (channel) => masks.word(block, channel));
    if (!finished) return;
    const read = answer
      ? odd || `It reads ${a(best)}, ${percent(probabilities[best])} sure; the whole network gives that ${percent(before[best])}.`
      : "Draw a digit, then choose a map.";
    this.#say(`${masks.sentence()} ${read}`);
  }

  #heat(answer, digit) {
    if (!answer) return null;
    const { data, size: [, height, width] } = answer.heat;
    const limit = Math.max(...data.map(Math.abs));
    const values = data.subarray(digit * height * width, (digit + 1) * height * width);
    return { values, height, width, limit };
  }

  #label(answer, digit, heat) {
    const sum = heat?.values.reduce((a, b) => a + b);
    this.caption.textContent = answer
      ? `Blue adds to the logit of ${a(digit)}, red takes from it: ` +
        `${number(sum)}, with the bias ${number(answer.logits[digit])}. Thin lines: the whole network.`
      : "";
    this.seen.canvas.setAttribute(
      "aria-label",
      answer ? `A digit as 28 by 28 squares. ${this.caption.textContent}` : "28 by 28 empty squares",
    );
  }

  #say(text) {
    if (this.status.textContent !== text) this.status.textContent = text;
  }
}
