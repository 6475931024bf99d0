// A sheet to draw on, with its buttons, and ten digits that draw themselves.

import { center } from "./center.js";
import { h } from "./dom.js";
import { hardly } from "./doubt.js";
import { row } from "./samples.js";
import { Sheet } from "./sheet.js";

export class Drawing {
  /**
   * onDigit(digit, finished): 28 × 28 in [0, 1], or null, and whether the pen is up;
   * samples(): a promise of the strokes of ten digits.
   */
  constructor(onDigit, samples) {
    const sample = async (digit) => {
      const untouched = this.sheet.watch();
      const strokes = await samples().catch(console.error);
      if (strokes && untouched()) this.sheet.play(strokes[digit]);
    };
    this.sheet = new Sheet((finished) => {
      this.invitation.hidden = !this.sheet.empty;
      this.digit = this.sheet.empty ? null : center(this.sheet.ink);
      onDigit(this.digit, finished);
    }, sample);
    this.invitation = h("span", { class: "invitation", "aria-hidden": "true" }, "Draw a digit here");
    const button = (text, onclick) => h("button", { type: "button", onclick }, text);
    this.element = h(
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
      row(sample),
    );
  }

  /** A sentence on a drawing that is hardly one digit, or "". */
  remark(doubt) {
    return this.digit ? hardly(this.sheet.ink, this.digit, doubt) : "";
  }
}
