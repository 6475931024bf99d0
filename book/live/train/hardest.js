// The validation digits that cost the network most, and what it takes them for.

import { a, h } from "../dom.js";
import { percent } from "../bars.js";

const PIXELS = 28;
const COUNT = 10;
const NO_BREAK = "\u00a0";

export class Hardest {
  constructor() {
    this.digits = Array.from({ length: COUNT }, () => {
      const canvas = h("canvas", { role: "img", "aria-label": "No digit yet", width: PIXELS, height: PIXELS });
      const caption = h("figcaption", {}, NO_BREAK, h("small", {}, NO_BREAK)); // as high as it will be
      return { canvas, caption, element: h("figure", {}, canvas, caption) };
    });
    this.element = h("div", { class: "hardest" }, ...this.digits.map(({ element }) => element));
  }

  show(hardest) {
    hardest.forEach(({ image, target, answer, probability }, place) => {
      const { canvas, caption } = this.digits[place];
      const context = canvas.getContext("2d");
      const picture = context.createImageData(PIXELS, PIXELS);
      image.forEach((value, i) => picture.data.set([255, 181, 69, value], 4 * i));
      context.putImageData(picture, 0, 0);
      const says = answer < 0 ? "?" : String(answer);
      caption.replaceChildren(`${target} → `, h("b", {}, says), h("small", {}, percent(probability || 0)));
      canvas.setAttribute("aria-label", `${a(target)}, read as ${says}, ${percent(probability || 0)} sure.`);
    });
  }
}
