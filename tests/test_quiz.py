"""The questions of the chapters: their form, and what Chromium shows of them."""

import re
from collections.abc import Iterator
from pathlib import Path

import book_site
import nbformat
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

expect.set_options(timeout=60_000)  # a busy machine takes its time

NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb"))
CHOICE = r"^- \*\*([A-Z])\.\*\* (\S.*?)(?=\n- |\n\n|\Z)"
CHAPTER = "notebooks/01_data.html"
# A question on whether a copy is farther than another digit; C is right.
COPIES = re.compile("is the moved copy the farther one")
DETECTOR = re.compile("proud of a detector")
# The theme's own scripts do not survive without storage; ours have to.
FORGETFUL = """for (const name of ["getItem", "setItem"]) {
    const real = Storage.prototype[name]
    Storage.prototype[name] = function (key, ...rest) {
        if (key.startsWith("mnistedu quiz")) throw new DOMException("refused")
        return real.call(this, key, ...rest)
    }
}"""


def folded(path: Path) -> list[tuple[str, str]]:
    """What stands in a cell before a folded answer, and the answer."""
    found = []
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type == "markdown":
            before, *parts = re.split(r"^<details>\n", cell.source, flags=re.M)
            for part in parts:
                answer, after = part.split("\n</details>")
                found.append((before.rstrip(), answer))
                before = after
    return found


ANSWERS = [(path.stem, *each) for path in NOTEBOOKS for each in folded(path)]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_chapter_asks_before_it_shows_and_at_its_end(path: Path) -> None:
    asked = [before for before, _ in folded(path)]
    assert sum(bool(re.search(r"^\*\*Predict:\*\*", each, re.M)) for each in asked) >= 1
    cells = nbformat.read(path, as_version=4).cells
    (quiz,) = (c.source for c in cells if re.search("^## Quiz$", c.source, re.M))
    numbers = re.findall(r"^\*\*(\d+)\.\*\* ", quiz.split("\n## Quiz\n")[1], re.M)
    assert numbers == [str(n + 1) for n in range(quiz.count("<details>"))] != []


@pytest.mark.parametrize(("chapter", "before", "answer"), ANSWERS)
def test_one_choice_is_right_and_each_is_explained(
    chapter: str, before: str, answer: str
) -> None:
    # The list stands right before the fold; the paragraph before it is the question.
    text, choices = re.split(r"\n\n(?=- \*\*A\.)", before)[-2:]
    assert re.search(r"^\*\*(?:\d+\.|Predict:)\*\* ", text, re.M)
    letters = [letter for letter, _ in re.findall(CHOICE, choices, re.M | re.S)]
    assert len(letters) >= 2
    assert letters == list("ABCDE"[: len(letters)])
    right = re.match(r"<summary>Answer</summary>\n\n\*\*([A-Z])\.\*\* \S", answer)
    assert right
    others = [letter for letter, _ in re.findall(CHOICE, answer, re.M | re.S)]
    assert sorted([right[1], *others]) == letters


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    """The site as a host serves it whose pages may load only what lies on it."""
    with book_site.served(site) as address:
        yield address


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    """The first chapter, for a reader who is new to it."""
    context = browser.new_context(reduced_motion="reduce")
    page = context.new_page()
    _, faults = book_site.collect(page)
    page.goto(f"{address}/{CHAPTER}")
    yield page
    context.close()
    assert faults == []


def tally(page: Page, text: str) -> None:
    expect(page.locator(".tally")).to_contain_text(text)


def outcome(question: Locator) -> Locator:
    """The first output of the cells after a question."""
    return question.locator("xpath=following-sibling::*[1]").locator(".cell_output")


def test_the_name_of_a_choice_has_its_formulas(page: Page, address: str) -> None:
    page.goto(f"{address}/notebooks/03_many_layers.html")
    group = page.get_by_role(
        "group", name="into which of the four scores does w 11 enter"
    )
    for letter, name in {
        "A": "A. Both into y 11 only.",
        "B": "B. w 11 into y 11 and y 12 , x 11 into y 11 and y 21 .",
    }.items():
        radio = group.get_by_role("radio", name=f"{letter}.")
        expect(radio).to_have_accessible_name(name)
    transposed = page.get_by_role("radio", name="X transposed G , and the shapes")
    expect(transposed).to_have_count(1)


def test_a_choice_is_answered_kept_and_cleared(page: Page, tmp_path: Path) -> None:
    total = len(folded(NOTEBOOKS[0]))
    question = page.get_by_role("group", name=COPIES)
    box = page.locator(".question", has=question)
    status, answer = question.get_by_role("status"), box.locator("details")
    reason = box.locator(".why").first
    expect(outcome(box)).to_be_hidden()
    expect(reason).to_be_hidden()
    tally(page, f"0 of {total} answered, 0 right")

    question.get_by_role("radio", name="A.").check()
    expect(status).to_contain_text("Not A.")
    expect(status).to_contain_text(reason.inner_text())
    expect(status).not_to_contain_text("A. A.")
    expect(reason).to_be_visible()
    expect(box.locator(".why").last).to_be_hidden()
    expect(outcome(box)).to_be_visible()
    assert answer.get_attribute("open") is None

    # Who walks down to a choice with the keyboard answers none on the way.
    page.keyboard.press("ArrowDown")
    expect(question.get_by_role("radio", name="B.")).to_be_focused()
    expect(status).to_contain_text("Not A.")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowLeft")  # round to the last
    expect(question.get_by_role("radio", name="C.")).to_be_focused()
    expect(status).to_contain_text("Not A.")
    page.keyboard.press("Space")
    expect(question.get_by_role("radio", checked=True)).to_have_count(1)
    expect(status).to_have_text("Right.")
    expect(answer).to_have_attribute("open", "")
    expect(box.locator(".why").last).to_be_visible()  # with the answer all reasons are
    tally(page, f"1 of {total} answered, 0 right")

    other = page.get_by_role("group", name=DETECTOR)
    other.get_by_text("How often the right answer").click()
    expect(other.get_by_role("radio", name="C.")).to_be_checked()
    page.reload()
    expect(question.get_by_role("radio", name="C.")).to_be_checked()
    expect(status).to_have_text("Right.")
    expect(other.get_by_role("status")).to_have_text("Right at once.")
    tally(page, f"2 of {total} answered, 1 right")
    assert book_site.barriers(page) == []

    with page.expect_download() as download:
        page.get_by_role("button", name="Save as a file").click()
    assert download.value.suggested_filename == "answers-01_data.txt"
    download.value.save_as(tmp_path / "answers.txt")
    saved = (tmp_path / "answers.txt").read_text("utf-8")
    assert f"2 of {total} answered" in saved
    assert "the farther one?\nfirst answer A, last C; right is C\n" in saved

    page.get_by_role("button", name="Clear").click()
    tally(page, f"0 of {total} answered, 0 right")
    page.reload()
    expect(question.get_by_role("radio", checked=True)).to_have_count(0)
    expect(outcome(box)).to_be_hidden()


def test_a_choice_stays_under_the_finger(page: Page) -> None:
    question = page.get_by_role("group", name=DETECTOR)
    question.get_by_role("radio", name="A.").check()
    for name in ("B.", "C."):  # the reason under A goes, and comes with the answer
        choice = question.get_by_role("radio", name=name)
        place = choice.bounding_box()
        choice.check()
        assert choice.bounding_box() == pytest.approx(place, abs=1)
    clear = page.get_by_role("button", name="Clear")
    for pressed in (question.locator("xpath=../details/summary"), clear):
        for _ in range(2):
            pressed.scroll_into_view_if_needed()
            place = pressed.bounding_box()
            pressed.click()
            assert pressed.bounding_box() == pytest.approx(place, abs=1)


def test_without_storage_answers_last_as_long_as_the_page(page: Page) -> None:
    page.add_init_script(FORGETFUL)
    page.reload()
    question = page.get_by_role("group", name=DETECTOR)
    question.get_by_role("radio").first.check()
    tally(page, "1 of ")
    page.reload()
    tally(page, "0 of ")


def test_on_paper_all_is_open(page: Page) -> None:
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    closed = page.locator("article details:not([open])")
    expect(closed).to_have_count(0)
    for reason in page.locator(".why").all():
        expect(reason).to_be_visible()


def test_without_scripts_it_is_folded_text(browser: Browser, address: str) -> None:
    page = browser.new_page(java_script_enabled=False)
    page.goto(f"{address}/{CHAPTER}")
    expect(page.get_by_text("stroke for stroke")).to_be_visible()
    expect(page.locator("article details > ul").first).to_be_hidden()
    expect(page.locator(".cell_output").first).to_be_visible()
    page.close()
