// A link to a word of the glossary, or to a work, shows what it leads to in a popover:
// under the pointer, at the keyboard's focus, and at a finger's first tap. The page that
// holds it is fetched once, when it is first asked for. Without this script, and in a
// page that was opened as a file, the links are just links.
"use strict";

if (HTMLElement.prototype.showPopover && location.protocol !== "file:") {
  const PAUSE = 300; // milliseconds until a pointer opens it, or closes it by leaving
  const GAP = 6; // pixels
  const KIND = /\/(glossary|references)\.html$/;
  const MATHJAX = new URL("mathjax/tex-mml-chtml.js", document.currentScript.src);
  const root = document.documentElement;
  const pages = {}; // promises of the pages fetched, by address
  let current = null; // the link whose popover is open, or soon will be
  let timer;
  let isTouch = false;

  function h(tag, attributes, ...children) {
    const element = Object.assign(document.createElement(tag), attributes);
    element.append(...children);
    return element;
  }

  // By hand: "auto" would close it between a finger's first and second tap.
  const box = h("div", { id: "popover", role: "tooltip", popover: "manual" });
  document.querySelector("main").append(box);

  function linkAt(element) {
    const link = element.closest?.("article a.reference.internal");
    return link?.hash && KIND.test(link.pathname) ? link : null;
  }

  async function fetchPage(address) {
    const response = await fetch(address);
    if (!response.ok) throw new Error(`${address}: ${response.status}`);
    return new DOMParser().parseFromString(await response.text(), "text/html");
  }

  /** The paragraphs that a link leads to, the first with the word that they define. */
  async function paragraphs({ pathname, hash }) {
    pages[pathname] ??= fetchPage(pathname);
    pages[pathname].catch(() => delete pages[pathname]); // to be tried again
    const found = (await pages[pathname]).getElementById(decodeURIComponent(hash.slice(1)));
    const copy = document.importNode(found, true);
    for (const mark of copy.querySelectorAll(".headerlink")) mark.remove();
    for (const link of copy.querySelectorAll("a")) link.replaceWith(...link.childNodes);
    const texts = copy.querySelectorAll(":scope > p");
    const word = copy.querySelector(":scope > h3");
    if (word) texts[0].prepend(h("b", {}, ...word.childNodes), ": ");
    return texts;
  }

  /** Set the formulas with the site's MathJax; a page without any has not loaded it. */
  async function setFormulas() {
    if (!box.querySelector(".math")) return;
    if (!window.MathJax) {
      window.MathJax = { startup: { typeset: false }, options: { enableMenu: false } };
      const script = h("script", { src: MATHJAX });
      document.head.append(script);
      await new Promise((onload, onerror) => Object.assign(script, { onload, onerror }));
    }
    await MathJax.startup.promise;
    await MathJax.typesetPromise([box]);
  }

  /** Put the box below the link, or above it where there is no room. */
  function place(link) {
    const { left, top, bottom } = link.getBoundingClientRect();
    const isBelow = bottom + GAP + box.offsetHeight < root.clientHeight;
    const most = root.clientWidth - box.offsetWidth - GAP;
    box.style.left = `${scrollX + Math.max(GAP, Math.min(left, most))}px`;
    box.style.top = `${scrollY + (isBelow ? bottom + GAP : top - GAP - box.offsetHeight)}px`;
  }

  /** Show what a link leads to, and more below it. Resolves to false if that fails. */
  async function open(link, ...more) {
    close();
    current = link;
    try {
      const texts = await paragraphs(link);
      if (current !== link) return true; // the reader has gone on
      if (!texts.length) throw new Error(`${link.href} is no entry`);
      box.replaceChildren(...texts, ...more);
      box.style.visibility = "hidden"; // until its formulas are set
      box.showPopover();
      await setFormulas();
      if (current !== link) return true;
      place(link);
      box.style.visibility = "";
      link.setAttribute("aria-describedby", box.id);
    } catch {
      if (current !== link) return true;
      close();
      return false;
    }
    return true;
  }

  function close() {
    clearTimeout(timer);
    current?.removeAttribute("aria-describedby");
    current = null;
    box.hidePopover();
  }

  document.addEventListener("pointerover", ({ target, pointerType }) => {
    if (pointerType === "touch") return;
    clearTimeout(timer);
    const link = linkAt(target);
    if (link === current || box.contains(target)) return;
    if (link) timer = setTimeout(open, PAUSE, link);
    else if (!current.matches(":focus-visible")) timer = setTimeout(close, PAUSE);
  });

  document.addEventListener("focusin", ({ target }) => {
    const link = linkAt(target);
    if (link?.matches(":focus-visible")) open(link);
    else if (!box.contains(target) && !current?.matches(":hover")) close();
  });

  document.addEventListener("keydown", ({ key }) => {
    if (key === "Escape") close();
  });

  document.addEventListener("pointerdown", ({ target, pointerType }) => {
    isTouch = pointerType === "touch";
    if (!box.contains(target) && linkAt(target) !== current) close();
  });

  document.addEventListener("click", async (event) => {
    const link = linkAt(event.target);
    if (!isTouch || !link || link === current) return; // a second tap follows the link
    event.preventDefault();
    const name = `To the ${KIND.exec(link.pathname)[1]}`;
    const line = h("p", {}, h("a", { href: link.href }, name));
    if (!(await open(link, line))) location.assign(link);
  });
}
