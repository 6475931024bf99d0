// What figures draw: parts of an SVG, charts with axes, and digits.

import { h } from "./dom.js";

const [LEFT, RIGHT, TOP, BOTTOM] = [44, 8, 10, 40]; // margins around the field of a chart
const PIXELS = 28;

/** An element of an SVG with attributes and children. */
export function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** Text at a place; anchor: which end of it lies there, start, middle or end. */
export const label = (x, y, text, anchor = "start") => svg("text", { x, y, "text-anchor": anchor }, text);

/**
 * An SVG with axes. x and y are { from, to, ticks, name }, in the unit of the data, and
 * say(value), how a tick is written, if it is not the number;
 * what is drawn between the axes goes into `field`, at the places that x() and y() give.
 */
export class Chart {
  constructor({ width = 560, height = 280, x, y }) {
    Object.assign(this, { width, height, across: x, up: y });
    this.field = svg("g");
    const [right, bottom] = [width - RIGHT, height - BOTTOM];
    const ticksX = x.ticks.map((value) =>
      svg("g", {}, this.path([[value, y.from], [value, y.to]], "grid"), label(this.x(value), bottom + 16, (x.say ?? sign)(value), "middle")),
    );
    const ticksY = y.ticks.map((value) =>
      svg("g", {}, this.path([[x.from, value], [x.to, value]], "grid"), label(LEFT - 6, this.y(value) + 4, (y.say ?? sign)(value), "end")),
    );
    const nameY = label(0, 0, y.name, "middle");
    nameY.setAttribute("transform", `translate(12 ${(TOP + bottom) / 2}) rotate(-90)`);
    const nameX = label((LEFT + right) / 2, height - 4, x.name, "middle");
    this.element = svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", class: "chart" });
    this.element.append(...ticksX, ...ticksY, nameX, nameY, this.field);
  }

  x(value) {
    const { from, to } = this.across;
    return LEFT + ((value - from) / (to - from)) * (this.width - LEFT - RIGHT);
  }

  y(value) {
    const { from, to } = this.up;
    return this.height - BOTTOM - ((value - from) / (to - from)) * (this.height - TOP - BOTTOM);
  }

  /** Where in the data a pointer is. */
  at(event) {
    const box = this.element.getBoundingClientRect();
    const { from, to } = this.across;
    const inX = ((event.clientX - box.left) / box.width) * this.width;
    const inY = ((event.clientY - box.top) / box.height) * this.height;
    const shareX = (inX - LEFT) / (this.width - LEFT - RIGHT);
    const shareY = (this.height - BOTTOM - inY) / (this.height - TOP - BOTTOM);
    return [from + shareX * (to - from), this.up.from + shareY * (this.up.to - this.up.from)];
  }

  /**
   * onDrag(event) is told where a pointer is pressed and goes. A finger may turn out to
   * scroll the page: keep(), called before, returns what then brings back how it was.
   */
  drag(onDrag, keep) {
    const { element } = this;
    let back;
    element.addEventListener("pointerdown", (event) => {
      back = keep();
      element.setPointerCapture(event.pointerId);
      onDrag(event);
    });
    element.addEventListener("pointermove", (event) => {
      if (element.hasPointerCapture(event.pointerId)) onDrag(event);
    });
    element.addEventListener("pointercancel", () => back());
  }

  /** A line through points [x, y] of the data. */
  path(points, name) {
    const places = points.map(([x, y]) => `${this.x(x).toFixed(1)} ${this.y(y).toFixed(1)}`);
    return svg("path", { class: name, d: places.length ? `M${places.join("L")}` : "" });
  }

  dot([x, y], name, r = 4) {
    return svg("circle", { class: name, cx: this.x(x), cy: this.y(y), r });
  }

  text([x, y], text, anchor = "middle") {
    return label(this.x(x), this.y(y), text, anchor);
  }
}

const sign = (value) => String(value).replace("-", "−");

/** A canvas for 28 × 28 squares. */
export const digitCanvas = (name) =>
  h("canvas", { class: "digit", width: PIXELS, height: PIXELS, role: "img", "aria-label": name });

/** Paint values of [0, 1] as ink; colour is [red, green, blue]. */
export function paint(canvas, values, colour = [255, 181, 69]) {
  const context = canvas.getContext("2d");
  const picture = context.createImageData(PIXELS, PIXELS);
  values.forEach((value, i) => picture.data.set([...colour, 255 * value], 4 * i));
  context.putImageData(picture, 0, 0);
}
