// A window that slides over a digit, of one channel or two, and the map that its sums make.

import { Board } from "../board.js";
import { WIDTH, convolve, padded, under } from "../convolve.js";
import { h, number, still } from "../dom.js";
import { button, card, row } from "../figure.js";

const SIDE = 28;
const KERNELS = {
  horizontal: [1, 1, 1, 0, 0, 0, -1, -1, -1],
  "on its side": [1, 0, -1, 1, 0, -1, 1, 0, -1],
  "all one third": Array(WIDTH * WIDTH).fill(1 / 3),
};
const [AMBER, BLUE, RED] = ["255 181 69", "108 190 255", "255 128 110"]; // as in sentences.js
const START = [21, 14]; // row and column of the window at first, on a stroke
const MOST = 9; // as large may a weight be
const AT_ONCE = 2; // places to a frame of the screen

// The chapter's 5: its 20 × 16 pixels that are not paper, from row 4 and column 6.
const [TOP, LEFT, ACROSS] = [4, 6, 16];
const FIVE =
  "AAAAAAAAAAAAABFPlv/gHQAAAAAAAAAJJIf0/f399C0AAAAAAAVJv/39/f33yF4AAAAAAAA5/f39/d6xOQAAAAAAAABm6f39" +
  "4nkaAAAAAAAAAAAAff39kRQAAAAAAAAAAAAAAAnE/fvPUQEAAAAAAAAAAAAAFun9/f1kDAAAAAAAAAAAAAAQsPT9/ZASAAAA" +
  "AAAAAAAAAABx/f39wxUAAAAAAAAAAAAAEjvI/f3XNgAAAAAAAAAAAAAAEs39/cIUAFXR5+dmAAAAAAASzv39aaj8/fi3NwAA" +
  "AAAAACD9/aqr/f3RFQAAAAAAAAAs/f2qVfH9/ZgVAAAAAAAe2f3xVABW8f39y0IUFEJC2f39ZwAAAFX0/f392dn9/f30Xg8A" +
  "AAAAH1/9/f39/f3JUAAAAAAAAAABHIfa2YccCQAAAAA=";

/** The chapter's 5, 28 × 28 in [0, 1]. */
export function five() {
  const values = new Float32Array(SIDE * SIDE);
  [...atob(FIVE)].forEach((byte, n) => {
    const place = (TOP + Math.floor(n / ACROSS)) * SIDE + LEFT + (n % ACROSS);
    values[place] = byte.charCodeAt(0) / 255;
  });
  return { values, side: SIDE };
}

/** A second channel: the map of the digit's left and right edges, its rim padded with 0. */
export const edges = (image) => convolve(padded(image), KERNELS["on its side"]);

export function mount(place) {
  new Window(place);
}

class Window {
  image = five();
  other = edges(this.image);
  second = KERNELS.horizontal;
  both = false;
  place = START;
  playing = 0;

  constructor(place) {
    const move = (row, column) => {
      this.#pause();
      Object.assign(this, { place: [row, column], cut: false });
      this.#show();
    };
    this.digit = new Board("The digit", SIDE, WIDTH, move);
    this.edges = new Board("The second channel", SIDE, WIDTH, move);
    this.map = new Board("The map", SIDE - WIDTH + 1, 1, move);
    this.least = h("span");
    this.most = h("span");
    this.inside = new Grid("window", AMBER);
    this.weights = new Weights((kernel, cut) => this.#use(kernel, cut));
    this.products = new Grid("products", BLUE, RED);
    this.sum = h("strong");
    this.inside2 = new Grid("window", BLUE, RED);
    this.weights2 = new Weights((kernel, cut) => this.#read(kernel, this.both, cut), "second kernel");
    this.products2 = new Grid("products", BLUE, RED);
    this.sum2 = h("strong");
    this.total = h("p", { class: "total" });
    this.channels = button("Two channels", () => this.#read(this.second, !this.both), { "aria-pressed": "false" });
    this.only2 = [
      h("figure", {}, h("figcaption", {}, "channel 2: its edges"), this.edges.canvas, h("p", { class: "scale" }, "−3", h("i"), "+3")),
      equation(this.inside2, this.weights2, this.products2, h("p", {}, "together", this.sum2)),
      this.total,
    ];
    this.presets = Object.entries(KERNELS).map(([name, kernel]) => button(name, () => this.#use(kernel)));
    this.play = button("Slide", () => (this.playing ? this.#pause(true) : this.#run()), { class: "main" });
    this.say = card(
      place,
      h("p", { class: "look" }, "Move the window over the digit, and put other numbers into the kernel."),
      row(
        this.play,
        this.channels,
        h("div", { class: "group", role: "group", "aria-label": "Kernels of the chapter" }, ...this.presets),
      ),
      h(
        "div",
        { class: "boards" },
        h("figure", {}, h("figcaption", {}, "the digit, 28 × 28"), this.digit.canvas, h("p", { class: "scale ink" }, "0", h("i"), "1")),
        this.only2[0],
        h("figure", {}, h("figcaption", {}, "the map, 26 × 26"), this.map.canvas, h("p", { class: "scale" }, this.least, h("i"), this.most)),
      ),
      equation(this.inside, this.weights, this.products, h("p", {}, "together", this.sum)),
      ...this.only2.slice(1),
    );
    this.#use(KERNELS.horizontal);
  }

  #use(kernel, cut = false) {
    this.kernel = kernel;
    this.weights.show(kernel);
    this.presets.forEach((preset, i) => preset.setAttribute("aria-pressed", String(Object.values(KERNELS)[i] === kernel)));
    this.#read(this.second, this.both, cut);
  }

  /** Read the second channel, or not, with a kernel of its own: the results are summed. */
  #read(second, both = this.both, cut = false) {
    Object.assign(this, { second, both, cut });
    this.weights2.show(second);
    this.channels.setAttribute("aria-pressed", String(both));
    for (const part of this.only2) part.hidden = !both;
    const [one, two] = [convolve(this.image, this.kernel), convolve(this.other, second)];
    this.made = both ? { ...one, values: one.values.map((x, i) => x + two.values[i]) } : one;
    this.#show();
  }

  /** Let the window visit all places, row by row, and make the map as it goes. */
  #run() {
    this.cut = false;
    if (still()) {
      const end = this.map.side - 1;
      this.place = [end, end];
      return this.#show();
    }
    this.play.textContent = "Pause";
    this.say("The window slides, and the map comes into being.");
    let n = 0;
    const last = this.made.values.length - 1;
    const next = () => {
      this.place = [Math.floor(n / this.map.side), n % this.map.side];
      this.#show(n + 1);
      if (n === last) return this.#pause(true);
      n = Math.min(n + AT_ONCE, last);
      this.playing = requestAnimationFrame(next);
    };
    this.playing = requestAnimationFrame(next);
  }

  #pause(say = false) {
    cancelAnimationFrame(this.playing);
    this.playing = 0;
    this.play.textContent = "Slide";
    if (say) this.#show();
  }

  /** Show the window where it is; while it slides, a part of the map only. */
  #show(count) {
    const { place, kernel, made } = this;
    const [row, column] = place;
    const inside = under(this.image, row, column);
    const sum = made.values[row * made.side + column];
    const limit = Math.max(...made.values.map(Math.abs), 1e-9);
    this.digit.show(this.image.values, place);
    this.map.show(made.values, place, { limit, signed: true, count });
    this.inside.show(inside);
    this.products.show(inside.map((x, i) => x * kernel[i]));
    const inside2 = under(this.other, row, column);
    const products2 = inside2.map((x, i) => x * this.second[i]);
    const part = products2.reduce((a, b) => a + b, 0);
    this.edges.show(this.other.values, place, { limit: 3, signed: true });
    this.inside2.show(inside2);
    this.products2.show(products2);
    const first = inside.reduce((all, x, i) => all + x * kernel[i], 0);
    this.sum.textContent = number(first);
    this.sum2.textContent = number(part);
    this.total.textContent = `Both channels: ${number(first)} ${part < 0 ? "−" : "+"} ${number(Math.abs(part))} ≈ ${number(sum)}`;
    const which = this.both ? "eighteen products of both channels" : "nine products";
    this.least.textContent = `−${number(limit, 1)}`;
    this.most.textContent = `+${number(limit, 1)}`;
    if (this.playing) return;
    if (this.cut) this.say(`A weight is from −${MOST} to ${MOST} here.`);
    else this.say(`Row ${row}, column ${column}: the ${which} add up to ${number(sum)}, a number of the map.`);
  }
}

/** Three rows of three numbers, the larger the more coloured. */
class Grid {
  constructor(name, above, below = above) {
    Object.assign(this, { above, below });
    this.cells = Array.from({ length: WIDTH * WIDTH }, () => h("span"));
    this.element = h("figure", { class: "nine" }, h("figcaption", {}, name), h("div", {}, ...this.cells));
  }

  show(values) {
    tint(this.cells, values, this.above, this.below);
    this.cells.forEach((cell, i) => (cell.textContent = short(values[i])));
  }
}

/** A window times a kernel, its products, and what they add up to. */
const equation = (inside, weights, products, sum) =>
  h(
    "div",
    { class: "equation" },
    h("div", {}, inside.element, h("span", { "aria-hidden": "true" }, "×"), weights.element),
    h("div", {}, h("span", { "aria-hidden": "true" }, "="), products.element, sum),
  );

/** The kernel: nine numbers that the reader may change. */
class Weights {
  /** onChange is told of the new kernel, and whether a number was too large, and cut. */
  constructor(onChange, name = "kernel") {
    this.kernel = [];
    this.boxes = Array.from({ length: WIDTH * WIDTH }, (_, i) =>
      h("input", {
        type: "number", min: -MOST, max: MOST, step: 0.5,
        "aria-invalid": "false", // what lies between steps is no less right
        "aria-label": `${name === "kernel" ? "" : `${name}, `}weight in row ${Math.floor(i / WIDTH)}, column ${i % WIDTH}`,
        onfocus: ({ target }) => target.select(),
        oninput: ({ target }) => {
          const weight = Math.min(Math.max(Number(target.value), -MOST), MOST);
          onChange(this.kernel.with(i, weight), weight !== Number(target.value));
        },
        onblur: () => this.show(this.kernel),
      }),
    );
    this.element = h("figure", { class: "nine" }, h("figcaption", {}, name), h("div", {}, ...this.boxes));
  }

  show(kernel) {
    this.kernel = [...kernel];
    tint(this.boxes, kernel, BLUE, RED);
    this.boxes.forEach((box, i) => {
      if (box !== document.activeElement) box.value = short(kernel[i]).replace("−", "-"); // not while one types
    });
  }
}

function tint(cells, values, above, below) {
  const limit = Math.max(...values.map(Math.abs), 1);
  cells.forEach((cell, i) => {
    const colour = values[i] < 0 ? below : above;
    cell.style.setProperty("--tint", `rgb(${colour} / ${(0.5 * Math.abs(values[i])) / limit})`);
  });
}

const short = (value) => number(value).replace(/\.?0+$/, "");
