// How one finds a pad without seeing it: by a heading, and by a link from the head of
// the page, which is seen only while it has the focus.

import { h } from "./dom.js";

/**
 * Put the heading into the place, one level below that of its section, and those in it
 * one below that; and the link behind the theme's to the page's text.
 */
export function skipTo(place) {
  const above = place.parentElement.closest("section").querySelector("h1, h2, h3, h4");
  const level = Number(above.tagName[1]) + 1;
  for (const part of place.querySelectorAll("h3")) part.ariaLevel = level + 1;
  place.prepend(h(`h${level}`, { class: "visually-hidden" }, place.getAttribute("aria-label")));
  const name = place.getAttribute("aria-label").toLowerCase();
  place.tabIndex = -1;
  const link = h(
    "a",
    {
      href: `#${place.id}`,
      onclick: (event) => {
        event.preventDefault(); // the trainer keeps its settings in the page's address
        place.focus({ preventScroll: true });
        place.scrollIntoView();
      },
    },
    `Skip to the ${name}`,
  );
  const before = [...document.querySelectorAll(".skip-link")].at(-1);
  before.after(h("div", { class: "skip-link d-print-none" }, link));
}
