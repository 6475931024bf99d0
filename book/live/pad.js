// The pad: what the other files do, put together in one place of a page.

import { Bars, percent } from "./bars.js";
import { contents } from "./contents.js";
import { countDigits } from "./count.js";
import { a, h, number } from "./dom.js";
import { ONLY, remark, several } from "./doubt.js";
import { Maps } from "./maps.js";
import { inOrder } from "./order.js";
import { Ours } from "./ours.js";
import { Ended, Own } from "./own/own.js";
import { samples } from "./samples.js";
import { Seen, strongest } from "./seen.js";
import { Sheet } from "./sheet.js";
import { skipTo } from "./skip.js";

const NONE = "none";

/** Put a pad into a place of the page; its data-show names the parts that it shows. */
export function mount(place) {
  new Pad(place, new Set(place.dataset.show.split(" ")));
  skipTo(place);
}

class Pad {
  networks = []; // those to choose from
  current = []; // the one that reads, and the one beside it
  answers = []; // theirs
  seenDigits = 0; // on the sheet
  doubts = ""; // a sentence on a drawing that is hardly a digit, or several
  pointed = null; // the class under the pointer
  chosen = null; // the class that was clicked

  constructor(place, show) {
    this.place = place;
    this.shows = show;
    this.sheet = new Sheet(
      (finished) => this.#changed(finished),
      (digit) => this.#sample(digit),
    );
    this.seen = new Seen();
    this.bars = new Bars("How sure it is", (...point) => this.#point(...point));
    this.others = new Bars("", (...point) => this.#point(...point));
    this.maps = new Maps();
    this.says = h("strong", { class: "says" });
    this.status = h("p", { role: "status", class: "hint" }, "Draw a digit.");
    this.told = h("p", { class: "told visually-hidden", "aria-live": "polite" }); // what can be seen
    this.progress = h("progress", { "aria-label": "Loading the network" });
    this.progress.hidden = true;
    this.remark = h("p", { class: "remark" }, ONLY);
    this.caption = h("p", { class: "hint" });
    this.centered = h("input", { type: "checkbox", onchange: () => this.#changed(true) });
    this.centered.checked = true;

    place.append(this.#layout());
    place.classList.add("ready");
    // A touch, a click or a key is what fetches the network; who passes by fetches nothing.
    for (const name of ["focusin", "click"]) place.addEventListener(name, () => this.#reach());
    this.sheet.canvas.addEventListener("pointerdown", () => this.#reach());
    this.#render(true);
  }

  #layout() {
    const button = (label, onclick) => h("button", { type: "button", onclick }, label);
    this.invitation = h("span", { class: "invitation", "aria-hidden": "true" }, "Draw a digit here");
    const parts = h(
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
      h(
        "div",
        { class: "sees" },
        h("div", { class: "title" }, h("h3", {}, "the network sees")),
        this.seen.frame,
      ),
      samples((digit) => this.#sample(digit)),
      h("label", { class: "switch" }, this.centered, "Scale and centre, as MNIST does"),
      this.seen.scale,
      h(
        "div",
        { class: "answer" },
        h("div", { class: "title" }, h("h3", {}, "and says"), this.says),
        h("div", { class: "both" }, this.bars.element, this.others.element),
        this.remark,
        this.caption,
      ),
    );
    inOrder(parts);
    const below = [this.#controls(), this.progress, this.status, this.told];
    const card = h("div", { class: "pad" }, parts, ...below);
    if (this.shows.has("maps")) card.append(this.maps.element);
    return card;
  }

  /** Which network, which beside it, and the reader's own. */
  #controls() {
    const waits = () => new Option("loads at a touch");
    this.network = h("select", { onchange: () => this.#changed(true) }, waits());
    this.beside = h("select", { onchange: () => this.#changed(true) }, waits());
    this.network.disabled = this.beside.disabled = true; // until there is something to choose
    this.controls = h("div", { class: "controls" });
    this.controls.hidden = !this.shows.has("compare") && !this.shows.has("own");
    if (this.shows.has("compare") || this.shows.has("own")) {
      this.controls.append(h("label", {}, "Network ", this.network));
    }
    if (this.shows.has("compare")) {
      this.controls.append(h("label", {}, "beside it ", this.beside));
    }
    if (this.shows.has("own")) {
      const file = h("input", {
        type: "file",
        accept: ".onnx",
        onchange: () => this.#own(file.files[0]).then(() => (file.value = "")),
      });
      this.controls.append(h("label", { class: "file" }, "Use my own model", file));
      this.place.addEventListener("dragover", (event) => event.preventDefault());
      this.place.addEventListener("drop", (event) => {
        event.preventDefault();
        this.#own(event.dataTransfer.files[0]);
      });
      this.controls.append(
        h("span", { class: "hint" }, "an .onnx file that mnistedu.export or the trainer wrote; it stays on your computer"),
      );
    }
    return this.controls;
  }

  /** Fetch the course's networks, once. */
  #reach() {
    this.reached ??= this.#load().catch((error) => {
      console.error(error);
      this.reached = undefined;
      this.progress.hidden = true;
      this.#say("The network could not be loaded: check the connection, then touch the pad again.");
    });
    return this.reached;
  }

  async #load() {
    this.progress.hidden = false;
    this.#say("Loading the network …");
    const first = await Ours.first();
    this.network.replaceChildren();
    this.beside.replaceChildren(new Option("none", NONE));
    this.#add(first);
    this.progress.hidden = true;
    this.place.dataset.ready = "";
    await this.#changed(true);
    if (!this.shows.has("compare")) return;
    const { models } = await contents();
    for (const model of models.slice(1)) this.#add(await Ours.open(model));
    this.beside.value = String(this.networks.length - 1 || NONE);
    await this.#changed(true);
  }

  #add(network) {
    this.networks.push(network);
    for (const select of [this.network, this.beside]) {
      select.append(new Option(network.name, this.networks.length - 1));
      select.disabled = false;
    }
  }

  async #own(file) {
    await this.#reach();
    if (!file || !this.networks.length) return; // these did not come, and that is said
    this.progress.hidden = false;
    this.#say("Loading what runs your own model …");
    try {
      const own = new Own(file);
      await own.open();
      this.#add(own);
      this.network.value = String(this.networks.length - 1);
      await this.#changed(true);
    } catch (error) {
      this.#say(error.message);
    }
    this.progress.hidden = true;
  }

  async #sample(digit) {
    this.#reach();
    const untouched = this.sheet.watch();
    const { samples } = await contents();
    if (untouched()) this.sheet.play(samples[digit]);
  }

  #point(digit, chosen) {
    if (chosen) this.chosen = this.chosen === digit ? null : digit;
    else this.pointed = digit;
    this.#render(false);
    if (chosen) this.told.textContent = this.chosen === null ? "" : this.heard;
  }

  /** Read the ink. While a reading runs, further changes wait, and the last one counts. */
  async #changed(finished) {
    this.told.textContent = ""; // it was about another drawing
    this.invitation.hidden = !this.sheet.empty;
    this.due = { finished: finished || this.due?.finished };
    if (this.reading || !this.networks.length) return;
    this.reading = true;
    while (this.due) {
      const { finished } = this.due;
      this.due = null;
      await this.#read(finished).catch((error) => this.#failed(error));
    }
    this.reading = false;
  }

  #failed(error) {
    this.answers = []; // those there are belong to another drawing
    this.#render(false);
    if (error instanceof Ended) return this.#say(error.message);
    console.error(error);
    this.#say("The network could not read this drawing: choose another one, or reload the page.");
  }

  async #read(finished) {
    const centered = this.centered.checked;
    const ink = this.sheet.ink.slice(); // as it is now: the pen goes on
    const current = [this.network, this.beside].map(({ value }) => this.networks[value]);
    const answers = [];
    this.seenDigits = countDigits(ink);
    try {
      for (const network of current) {
        if (network && this.seenDigits === 1) answers.push(await network.read(ink, centered));
      }
    } finally {
      this.current = current; // not before there are answers: what is shown is of one network
    }
    this.answers = answers;
    this.doubts = several(this.seenDigits) || (answers.length ? remark(ink, answers[0]) : "");
    this.#render(finished);
    if (finished) this.seen.land(this.sheet, answers[0]?.digit, centered);
  }

  /** Show the answers there are. */
  #render(finished) {
    const [answer, other] = this.answers;
    const { probabilities } = answer ?? { probabilities: null };
    const best = probabilities && probabilities.indexOf(Math.max(...probabilities));
    const [main, beside] = this.current;
    this.place.dataset.prediction = best ?? "";
    const second = other?.probabilities.indexOf(Math.max(...other.probabilities)) ?? best;
    this.says.textContent = best === second ? (best ?? "?") : `${best} or ${second}`;
    this.remark.textContent = this.doubts || ONLY;
    this.place.classList.toggle("doubted", this.doubts !== "");

    const waited = this.shows.has("compare") && !this.networks.length; // the other's place is kept
    this.bars.title(beside ? main.name : waited ? "How sure" : "How sure it is");
    this.bars.show(probabilities, this.chosen);
    this.others.element.hidden = !beside && !waited;
    this.others.title(beside?.name ?? "Another");
    this.others.show(other?.probabilities ?? null, this.chosen);

    const asked = this.pointed ?? this.chosen ?? (this.shows.has("heatmap") ? best : null);
    const heat = this.#heat(answer, asked);
    this.seen.show(answer?.digit, heat);
    this.#label(answer, asked, heat, other && main.name);
    if (this.shows.has("maps")) this.maps.show(main, answer, finished);
    if (finished && main) {
      const who = this.networks.length > 1 ? `The network “${main.name}”` : "The network";
      const also = other ? `; “${beside.name}” reads ${a(second)}` : "";
      const sure = answer ? `${who} reads ${a(best)}, ${percent(probabilities[best])} sure${also}. ` : "";
      this.#say(sure + this.doubts || "Draw a digit.");
    }
  }

  /** What each place adds to the logit of a class, and the most that one does to any. */
  #heat(answer, digit) {
    if (!answer?.heat || digit === null) return null;
    const { data, size: [, height, width], limit } = answer.heat;
    const start = digit * height * width;
    return { values: data.subarray(start, start + height * width), height, width, limit };
  }

  #label(answer, digit, heat, whose) {
    const sum = heat?.values.reduce((a, b) => a + b);
    this.caption.textContent = !answer
      ? ""
      : !answer.heat
        ? "This network’s file holds no heatmap."
        : digit === null
          ? "Choose a digit to see what speaks for it, and what against it."
          : `${whose ? `In “${whose}” blue` : "Blue"} adds to the logit of ${a(digit)}, red takes from it: ` +
            `${number(sum)} in all, ${number(answer.logits[digit])} with the bias.`;
    const places = heat && ` Of ${heat.height} by ${heat.width} places, ${strongest(heat.values, heat.width)}.`;
    this.heard = this.caption.textContent + (places ?? "");
    this.seen.canvas.setAttribute(
      "aria-label",
      answer ? `Your drawing as 28 by 28 squares. ${this.heard}` : "28 by 28 empty squares",
    );
  }

  #say(text) {
    this.status.textContent = text;
  }
}
