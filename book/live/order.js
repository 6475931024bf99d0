// The parts of a pad stand in its page, and so for the Tab key, as one sees them.

/** Keep the answer before the samples where it lies above them, as on a phone; else last. */
export function inOrder(stage) {
  const [answer, offers] = [".answer", ".offers"].map((part) => stage.querySelector(part));
  new ResizeObserver(() => {
    const first = answer.offsetTop < offers.offsetTop;
    if (first === (answer.nextElementSibling === offers)) return;
    const focused = document.activeElement;
    if (first) offers.before(answer);
    else stage.append(answer);
    focused.focus({ preventScroll: true }); // which an element that moves loses
  }).observe(stage);
}
