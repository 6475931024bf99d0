// What an operation costs each digit, of all that were read: its lead, and how many.

import { h, number } from "../dom.js";

const EMPTY = "–";

export class Result {
  constructor() {
    this.says = h("strong", { class: "share" }, EMPTY);
    this.was = h("span", { class: "hint" });
    const cells = (make) => Array.from({ length: 10 }, make);
    this.leads = cells(() => ({ bar: h("i"), text: h("span", {}, EMPTY) }));
    this.reads = cells(() => h("td", {}, EMPTY));
    const row = (name, ...parts) => h("tr", {}, h("th", { scope: "row" }, name), ...parts);
    this.table = h(
      "table",
      {},
      h("caption", {}, "The lead: how far the right digit’s logit is ahead of the largest other, on average. Blue: the whole network."),
      h("thead", {}, row("digit", ...cells((_, digit) => h("th", { scope: "col" }, String(digit))))),
      h(
        "tbody",
        {},
        row("lead", ...this.leads.map(({ bar, text }) => h("td", {}, bar, text))),
        row("read, %", ...this.reads),
      ),
    );
    this.progress = h("progress", { max: 1, value: 0, "aria-label": "Reading the validation digits" });
    const live = { "aria-live": "polite", "aria-atomic": "true" };
    this.headline = h("p", { class: "headline", ...live }, this.says, " ", this.was);
    this.element = h(
      "div",
      { class: "result" },
      this.headline,
      this.progress,
      this.table,
    );
  }

  /** How much has been read, from 0 to 1. */
  wait(share) {
    this.progress.value = share;
    this.element.classList.toggle("waiting", share < 1);
  }

  /** Two tallies: as it is now, and of the whole network. */
  show(now, whole) {
    this.wait(1);
    const count = whole.count.toLocaleString("en");
    this.says.textContent = percent(now.accuracy);
    this.was.textContent = `of ${count} validation digits are read` +
      (now === whole ? "." : `; by the whole network ${percent(whole.accuracy)}.`);
    const most = Math.max(...whole.lead, ...now.lead);
    now.lead.forEach((lead, digit) => {
      const { bar, text } = this.leads[digit];
      bar.style.setProperty("--share", Math.max(lead / most, 0));
      bar.style.setProperty("--was", whole.lead[digit] / most);
      text.textContent = number(lead, 1);
      const share = now.read[digit];
      this.reads[digit].textContent = tenth(100 * share);
      this.reads[digit].classList.toggle("lost", whole.read[digit] - share >= 0.05);
    });
  }
}

const percent = (share) => `${(100 * share).toFixed(1)}%`;
const tenth = (value) => (value === 100 ? "100" : value.toFixed(value > 10 ? 0 : 1));
