// The sum behind one number of a feature map, in words and in tables.

import { h, number } from "./dom.js";

const BLUE = "108 190 255"; // a weight that asks for what lies under it
const RED = "255 128 110"; // one that asks for its absence
const AMBER = "255 181 69";

/** What explain() found, as a page shows it; `again` shows another input map. */
export function sentences(found, chosen, again) {
  const { added, sum, side, pool, normal, result } = found;
  const order = added.map((_, c) => c).sort((a, b) => Math.abs(added[b]) - Math.abs(added[a]));
  const c = chosen.input ?? order[0];
  const window = found.window(c);
  const kernel = found.kernel(c);
  const many = added.length > 1;
  const strongest = order.slice(0, 5);
  const rest = sum - strongest.reduce((total, i) => total + added[i], 0);
  const steps = [];
  if (many) {
    steps.push(
      h("p", {}, `One kernel for each of the ${added.length} maps of the block before. They add:`),
      h(
        "div",
        { class: "inputs", role: "group", "aria-label": "What each map adds" },
        ...strongest.map((i) =>
          h(
            "button",
            {
              type: "button",
              "aria-pressed": String(i === c),
              onclick: () => {
                chosen.input = i;
                again();
              },
            },
            `map ${i}: `,
            h("b", {}, number(added[i])),
          ),
        ),
        h("span", {}, `the others: ${number(rest)}`),
      ),
    );
  }
  steps.push(
    h(
      "div",
      { class: "product" },
      grid(window, many ? `Window of map ${c}` : "Window", AMBER),
      h("span", { class: "times" }, "×"),
      grid(kernel, "Kernel", BLUE, RED),
      h("span", { class: "times" }, "→"),
      h("b", {}, number(added[c])),
    ),
    h(
      "p",
      {},
      `${side * side} products, square by square`,
      many ? `, add up to ${number(added[c])}; all maps together give ` : ", add up to ",
      h("b", {}, number(sum)),
      pool > 1 ? `, the largest of ${pool * pool} neighbouring sums (pooling). ` : ". ",
      `Batch normalisation makes that ${number(normal)}`,
      normal > 0 ? ", which the ReLU lets pass: " : ", which the ReLU cuts off: ",
      h("b", { class: "result" }, number(result)),
      ".",
    ),
  );
  return steps;
}

/** A table of numbers, the larger the more coloured; what is below 0 may stay dark. */
function grid(rows, title, above, below = null) {
  const limit = Math.max(...rows.flat().map(Math.abs), 1e-9);
  const cell = (value) => {
    const element = h("td", {}, number(value, 1));
    const colour = value < 0 ? below : above;
    const strength = (0.5 * Math.abs(value)) / limit; // white stays legible on it
    if (colour) element.style.background = `rgb(${colour} / ${strength})`;
    return element;
  };
  const row = (values) => h("tr", {}, ...values.map(cell));
  return h("table", {}, h("caption", {}, title), h("tbody", {}, ...rows.map(row)));
}
