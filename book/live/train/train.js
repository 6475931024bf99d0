// The trainer: what the other files do, put together in one place of a page.

import { Bars } from "../bars.js";
import { center } from "../center.js";
import { a, h, still } from "../dom.js";
import { ONLY, hardly } from "../doubt.js";
import { Seen } from "../seen.js";
import { Sheet } from "../sheet.js";
import { skipTo } from "../skip.js";
import { Controls } from "./controls.js";
import { Curves } from "./curves.js";
import { Hardest } from "./hardest.js";
import { onnx } from "./onnx.js";
import { Remote } from "./remote.js";
import { fits, safetensors } from "./safetensors.js";
import { SETTINGS, STATES, read, write } from "./settings.js";
import { Weights } from "./weights.js";

const READY = "Press play, and the training begins.";
const EMPTY = "28 by 28 squares, and no answer yet";
const PAUSE = 60; // milliseconds from picture to picture
const CALM = 500; // for readers who want less motion
const NEWS = 5000; // from sentence to sentence while it trains
const REST = 300; // from the last change to the address
const BROKEN = "The loss is no number any more (NaN): the steps were too long. Lower the learning rate, then reset.";

/** Put a trainer into a place of the page. */
export function mount(place) {
  new Trainer(place);
  skipTo(place);
}

class Trainer {
  playing = false;
  settings = read(location.hash) ?? STATES[0].settings;

  constructor(place) {
    this.place = place;
    this.controls = new Controls((name, value) => this.#set(name, value));
    this.curves = new Curves();
    this.weights = new Weights();
    this.hardest = new Hardest();
    this.sheet = new Sheet(
      (finished) => this.#draw(finished),
      (digit) => this.#sample(digit),
    );
    this.seen = new Seen();
    this.seen.canvas.setAttribute("aria-label", EMPTY);
    this.bars = new Bars("What your network says");
    this.says = h("strong", { class: "says" }, "?");
    this.remark = h("p", { class: "remark" }, ONLY);
    this.where = h("span", { class: "where" }, "step 0, epoch 0.0");
    this.status = h("p", { role: "status", class: "hint" }, READY);
    this.look = h("p", { class: "look", "aria-live": "polite" });
    this.source = h("p", { class: "hint source" });

    const layout = this.#layout();
    this.#showSettings(); // before they stand in the page, so that nobody is told unasked
    place.append(layout);
    place.classList.add("ready");
    this.weights.fit(this.settings);
    addEventListener("hashchange", () => this.#follow(location.hash ? read(location.hash) : STATES[0].settings));
    // Reaching for the trainer is what fetches the digits. A finger that only scrolls
    // past reaches for nothing.
    place.addEventListener("pointerenter", (event) => {
      if (event.pointerType !== "touch") this.#reach();
    });
    for (const name of ["focusin", "click"]) place.addEventListener(name, () => this.#reach());
    this.sheet.canvas.addEventListener("pointerdown", () => this.#reach());
  }

  #layout() {
    const button = (label, onclick) => h("button", { type: "button", onclick }, label);
    this.play = button("Play", () => this.#play(!this.playing));
    this.save = button("Save the network", () => this.#save(safetensors, "trained-here.safetensors"));
    this.states = STATES.map(({ name, settings }) => h("a", { href: write(settings) }, name));
    this.invitation = h("span", { class: "invitation", "aria-hidden": "true" }, "Draw a digit here");
    return h(
      "div",
      { class: "pad" },
      h("div", { class: "states", role: "group", "aria-label": "States to try" }, ...this.states),
      this.look,
      h(
        "div",
        { class: "run" },
        this.play,
        button("Step", () => this.#step()),
        button("Reset", () => this.#reset("A new network, its weights random again.")),
        this.where,
      ),
      this.status,
      h(
        "div",
        { class: "workshop" },
        h("div", { class: "watch" }, this.curves.element, this.weights.element),
        this.controls.element,
      ),
      h(
        "div",
        { class: "stage" },
        h(
          "div",
          { class: "draw" },
          h(
            "div",
            { class: "title" },
            h("h3", {}, "You draw"),
            button("Undo", () => this.sheet.undo()),
            button("Clear", () => this.sheet.clear()),
          ),
          h("div", { class: "paper" }, this.sheet.canvas, this.invitation),
        ),
        h("div", { class: "sees" }, h("div", { class: "title" }, h("h3", {}, "your network sees")), this.seen.frame),
        h(
          "div",
          { class: "answer" },
          h("div", { class: "title" }, h("h3", {}, "and says"), this.says),
          h("div", { class: "both" }, this.bars.element),
          this.remark,
        ),
      ),
      h("h3", {}, "The ten validation digits that cost it most: what each is → what it is taken for"),
      this.hardest.element,
      h(
        "div",
        { class: "controls" },
        h("p", {}, this.save, h("span", { class: "hint" }, "for mnistedu predict; with ReLU or without hidden layers")),
        h(
          "p",
          {},
          button("Save as ONNX", () => this.#save(onnx, "trained-here.onnx")),
          h("span", { class: "hint" }, "for any program that runs ONNX"),
        ),
      ),
      this.source,
    );
  }

  /** Fetch the digits and start the worker, once. */
  #reach() {
    this.reached ??= this.#load().catch((error) => {
      this.reached = undefined;
      this.remote.close();
      this.#say("The digits could not be loaded: check the connection, then touch the trainer again.");
      throw error;
    });
    this.reached.catch(console.error);
    return this.reached;
  }

  async #load() {
    this.#say("Fetching the digits …");
    this.remote = new Remote(new URL("worker.js", import.meta.url));
    this.info = await this.remote.ask("load", new URL(".", import.meta.url).href);
    this.source.textContent = this.info.source;
    this.#show(await this.remote.ask("reset", this.settings));
    this.#say(READY);
    this.place.dataset.ready = "";
    if (this.digit) this.#read(); // it was drawn before there was anybody to read it
  }

  /** Have the worker do something once it is there, and show what came of it. */
  async #have(...question) {
    await this.#reach();
    const look = await this.remote.ask(...question);
    if (look) this.#show(look);
  }

  async #play(on) {
    await this.#have("play", on);
    this.#playing(on);
    if (on) return this.#watch();
    this.#say(`Paused: ${this.news}`);
  }

  #playing(on) {
    this.playing = on;
    this.play.textContent = on ? "Pause" : "Play";
    if (on) this.#say("It trains.");
  }

  /** Look at the training, again and again. */
  async #watch() {
    if (this.watching) return;
    this.watching = true;
    while (this.playing) {
      await this.#have("look");
      if (this.playing && performance.now() > this.told + NEWS) this.#say(`Step ${this.measured.toLocaleString("en")}: ${this.news}`);
      await new Promise((resolve) => setTimeout(resolve, still() ? CALM : PAUSE));
      await new Promise(requestAnimationFrame); // none comes while nobody sees the page
    }
    this.watching = false;
  }

  async #step() {
    if (this.playing) await this.#play(false);
    await this.#have("step");
    this.#say(`One batch more: ${this.news}`);
  }

  async #reset(why) {
    await this.#have("reset", this.settings);
    this.#say(why);
  }

  /** The reader has changed a setting. */
  async #set(name, value) {
    this.settings = { ...this.settings, [name]: value };
    this.#showSettings();
    this.#write();
    if (SETTINGS[name].anew) return this.#reset("A new network, as this setting needs one.");
    await this.#have("set", this.settings);
  }

  /** Into the address, once a slider rests: of many changes at once Safari bars the page. */
  #write() {
    clearTimeout(this.writing);
    this.writing = setTimeout(() => history.replaceState(null, "", write(this.settings)), REST);
  }

  /** The address says another state. */
  async #follow(settings) {
    if (!settings) return;
    clearTimeout(this.writing);
    this.settings = settings;
    this.#showSettings();
    await this.#have("play", false); // also if it is only about to play
    this.#playing(false);
    await this.#reset(READY);
  }

  #showSettings() {
    this.controls.show(this.settings);
    const hash = write(this.settings);
    const state = STATES.find(({ settings }) => write(settings) === hash);
    this.states.forEach((link, i) => {
      if (STATES[i] === state) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    });
    const look = state?.look ?? "A state of your own: the page’s address holds it, to be sent to others.";
    if (this.look.textContent !== look) this.look.textContent = look; // is read out
    this.save.disabled = !fits(this.settings);
  }

  async #sample(digit) {
    const untouched = this.sheet.watch();
    await this.#reach();
    if (untouched()) this.sheet.play(this.info.samples[digit]);
  }

  #draw(finished) {
    this.invitation.hidden = !this.sheet.empty;
    this.digit = this.sheet.empty ? null : center(this.sheet.ink);
    this.odd = this.digit ? hardly(this.sheet.ink, this.digit) : "";
    this.remark.textContent = this.odd || ONLY;
    this.place.classList.toggle("doubted", this.odd !== "");
    this.seen.show(this.digit ?? []);
    if (finished) this.seen.land(this.sheet, this.digit, true);
    this.finished = finished;
    this.#read();
  }

  /** While a reading is on its way, the pen may go on: the last digit counts. */
  async #read() {
    if (this.reading) return;
    this.reading = true;
    try {
      for (let digit; digit !== this.digit; ) {
        digit = this.digit;
        await this.#have("draw", digit);
      }
    } catch {
      return; // nobody came to read it, and that is said
    } finally {
      this.reading = false;
    }
    const said = this.digit ? this.reads && `${this.reads} ${this.odd}`.trim() : "The sheet is empty.";
    if (said && this.finished && !this.playing) this.#say(said);
  }

  #show({ settings, steps, epochs, points, hardest, dead, playing, broken, answer, weights }) {
    const last = points.at(-1);
    if (last.step !== this.measured || !last.step) {
      this.measured = last.step;
      this.curves.show(points);
      this.hardest.show(hardest);
    }
    if (!broken) this.weights.show(weights, dead, settings);
    this.bars.show(broken ? null : answer);
    const best = answer ? answer.indexOf(Math.max(...answer)) : -1; // and so of NaN
    this.says.textContent = best < 0 ? "?" : best;
    this.reads = best < 0 ? "" : `It reads ${a(best)}.`;
    this.seen.canvas.setAttribute(
      "aria-label",
      best < 0 ? EMPTY : `Your drawing as 28 by 28 squares, read as ${best}`,
    );
    this.news = broken ? BROKEN : `${(100 * last.val.accuracy).toFixed(1)}% of the validation digits are right. ${this.reads}`.trim();
    this.where.textContent = `step ${steps.toLocaleString("en")}, epoch ${epochs.toFixed(1)}`;
    this.place.dataset.step = steps;
    this.place.dataset.accuracy = last.val.accuracy;
    this.place.dataset.prediction = best < 0 ? "" : best;
    if (playing || !this.playing) return; // else the worker has stopped by itself
    this.#playing(false);
    if (broken) this.#say(BROKEN);
  }

  async #save(format, name) {
    await this.#reach();
    const parameters = await this.remote.ask("save");
    const address = URL.createObjectURL(format(parameters, this.settings));
    h("a", { href: address, download: name }).click();
    URL.revokeObjectURL(address);
  }

  #say(text) {
    this.status.textContent = text;
    this.told = performance.now();
  }
}
