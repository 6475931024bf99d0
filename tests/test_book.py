"""The site: it builds without a warning, opens without a network, and for everybody."""

import importlib
import re
import runpy
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace

import book_site
import pytest
import torch
from PIL import Image
from playwright.sync_api import Browser, Locator, expect
from torchvision.transforms.functional import to_tensor

ROOT = Path(__file__).parents[1]
ELSEWHERE = re.compile(
    r"<(?:script|img|iframe|source|video|audio)\b[^>]*\bsrc=[\"']?(?:https?:)?//"
    r"|<link\b[^>]*\bhref=[\"']?(?:https?:)?//"
    r"|(?:url\(|@import )[\"']?(?:https?:)?//",
)
# What may differ there from what it is in the light.
IN_THE_DARK = ["color-contrast", "link-in-text-block", "image-alt"]
# On a gradient, such as the shadows where code can be scrolled, axe judges no colour.
STILL = "* { transition: none !important } pre { background-image: none !important }"
# The words of a page, without what may look like markup: code and formulas.
WORDS = """() => {
    const article = (document.querySelector("article") ?? document.body).cloneNode(true)
    const others = article.querySelectorAll("pre, code, .math, .sig, script, style")
    for (const each of others) each.remove()
    return article.textContent
}"""
MARKUP = re.compile(r"\$|\\[a-z]{2}|<!|-->|``|\]\(|\{[\w-]+\}|\s–[a-z]")
# What a sentence tells the reader to choose, unless it is one for JupyterLab, and that
# no control of the page bears for a name.
MISSING = """() => {
    const controls = "button, label, option, summary, h2, h3, .pad a"
    const names = [...document.querySelectorAll(controls)].map(c => c.textContent)
    const told = /\\b(choose|click|press|set|switch|under)\\b[^.:;?!]*$/i
    return [...document.querySelectorAll("article :is(p, li) > em")].filter(em => {
        const before = document.createRange()
        before.setStart(em.parentNode, 0)
        before.setEndBefore(em)
        return told.test(before) && !/JupyterLab/.test(em.parentNode.textContent)
    }).map(em => em.textContent).filter(name => !names.some(n => n.includes(name)))
}"""


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    """The site as a host serves it whose pages may load only what lies on it."""
    with book_site.served(site) as address:
        yield address


def test_without_npm_the_book_is_built_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(ROOT / "book" / "extensions")
    live_pad = importlib.import_module("live_pad")
    monkeypatch.setattr(live_pad, "ENGINE", tmp_path / "missing")
    live_pad.copy_pad(SimpleNamespace(outdir=tmp_path))
    copied = {path.name for path in (tmp_path / live_pad.LIVE).iterdir()}
    assert copied >= {"live.json", "convnet.safetensors"}
    live = importlib.import_module("live")
    page: list[str] = []
    writer = SimpleNamespace(body=page, builder=SimpleNamespace(current_docname="a/b"))
    with pytest.raises(live.nodes.SkipNode):
        place = live.Place(kind="live-pad", data="show", value="maps", ids=["pad"])
        live.visit(writer, place)
    assert '<section id="pad" class="live-pad" data-show="maps" ' in page[0]
    assert 'data-module="pad.js"' in page[0]


def test_build_is_clean(site: Path) -> None:
    assert site / "book" / "intro.html" in book_site.pages(site)


def test_the_reference_has_every_public_function_and_class(site: Path) -> None:
    text = "".join(path.read_text("utf-8") for path in site.glob("book/api_*.html"))
    shown = set(re.findall(r'<dt [^>]*id="(mnistedu\.[^"]+)"', text))
    for name in re.findall(r'id="module-(mnistedu\.\w+)"', text):
        module = importlib.import_module(name)
        own = [
            key
            for key, value in vars(module).items()
            if callable(value) and getattr(value, "__module__", "") == name
        ]
        public = {key for key in getattr(module, "__all__", own) if key[0] != "_"}
        assert {f"{name}.{key}" for key in public} <= shown


def test_nothing_is_loaded_from_elsewhere(site: Path) -> None:
    files = [*book_site.pages(site), *site.rglob("*.css")]
    found = {str(path): ELSEWHERE.findall(path.read_text("utf-8")) for path in files}
    assert {path: hits for path, hits in found.items() if hits} == {}


def test_every_page_names_its_icon(site: Path) -> None:
    # A browser asks for /favicon.ico otherwise, and says that it is not there.
    without = [
        path
        for path in book_site.pages(site)
        if '<link rel="icon" href=' not in path.read_text("utf-8")
    ]
    assert without == []


def test_every_chapter_says_what_it_is_about_to_who_is_sent_a_link(site: Path) -> None:
    chapters = [*(site / "notebooks").glob("[0-9]*.html"), site / "book" / "intro.html"]
    texts = [path.read_text("utf-8") for path in chapters]
    own = [text for text in texts if 'http-equiv="Refresh"' not in text]
    assert len(own) >= 10
    assert all(re.search('name="description" content="[^"]{20,}', text) for text in own)


def test_old_addresses_lead_to_the_new_ones(site: Path) -> None:
    for old, new in (("02_by_hand", "03_many_layers"), ("09_draw", "10_draw")):
        text = (site / "notebooks" / f"{old}.html").read_text("utf-8")
        assert f"url={new}.html" in text
        assert (site / "notebooks" / f"{new}.html").exists()


@pytest.fixture(scope="module")
def seen(site: Path, address: str, browser: Browser) -> SimpleNamespace:
    """What is asked for and goes wrong where every page is opened, in both themes."""
    context = browser.new_context(reduced_motion="reduce")
    page = context.new_page()
    requests, faults = book_site.collect(page)
    formulas, barriers, raw, missing, wide = [], {}, {}, {}, {}
    for path in book_site.pages(site):
        if 'http-equiv="Refresh"' in path.read_text("utf-8"):
            continue  # it leads to a page that is opened anyway
        name = path.relative_to(site).as_posix()
        page.goto(f"{address}/{name}")
        if page.locator(".math").count():
            page.locator("mjx-container").first.wait_for()
        page.add_style_tag(content=STILL)
        for theme, rules in (("light", {}), ("dark", {"runOnly": IN_THE_DARK})):
            page.evaluate(
                "theme => document.documentElement.dataset.theme = theme", theme
            )
            if found := book_site.barriers(page, **rules):
                barriers[f"{name}, {theme}"] = found
        page.evaluate("globalThis.MathJax?.startup?.promise")
        formulas += [name] * page.locator("mjx-merror").count()
        if found := MARKUP.findall(page.evaluate(WORDS)):
            raw[name] = found
        if name.startswith(("notebooks/", "book/train")):
            missing[name] = page.evaluate(MISSING)
        book_site.resize(page, 320, 664)
        wide[name] = page.evaluate("document.documentElement.scrollWidth") - 320
        page.set_viewport_size({"width": 1280, "height": 720})
    context.close()
    return SimpleNamespace(
        requests=requests,
        faults=faults,
        formulas=formulas,
        barriers=barriers,
        raw=raw,
        missing=missing,
        wide=wide,
    )


def test_every_page_opens_by_itself(seen: SimpleNamespace, address: str) -> None:
    own = (address, "data:", "blob:")
    assert [url for url in seen.requests if not url.startswith(own)] == []
    assert (seen.faults, seen.formulas) == ([], [])
    assert any("MathJax_Main-Regular.woff" in url for url in seen.requests)


def test_every_page_is_accessible(seen: SimpleNamespace) -> None:
    assert seen.barriers == {}


def test_no_page_shows_its_markup(seen: SimpleNamespace) -> None:
    assert seen.raw == {}


def test_a_control_that_a_sentence_names_is_on_its_page(seen: SimpleNamespace) -> None:
    assert len(seen.missing) == 11
    assert {name: found for name, found in seen.missing.items() if found} == {}


def test_no_page_is_wider_than_a_small_phone(seen: SimpleNamespace) -> None:
    assert {name: more for name, more in seen.wide.items() if more > 0} == {}


def test_a_name_in_a_table_is_whole(address: str, browser: Browser) -> None:
    for width in (390, 1280):
        page = browser.new_page(viewport={"width": width, "height": 664})
        page.goto(f"{address}/book/notation.html")
        names = page.locator("td code .pre").filter(has_not_text=re.compile(r"\s"))
        lines = names.evaluate_all("all => all.map(n => n.getClientRects().length)")
        assert {*lines} == {1}
        page.close()


def test_no_word_runs_out_of_its_cell(address: str, browser: Browser) -> None:
    page = browser.new_page(viewport={"width": 390, "height": 664})
    for name in ("timings", "harder", "trouble", "weights"):
        page.goto(f"{address}/book/{name}.html")
        wider = "all => all.map(cell => cell.scrollWidth - cell.clientWidth)"
        assert max(page.locator("td, th").evaluate_all(wider)) <= 1, name
    page.close()


def test_search_is_legible_from_its_first_letter(
    address: str, browser: Browser
) -> None:
    page = browser.new_page(viewport={"width": 390, "height": 664})
    for word, found in (("softmax", "Train it here"), ("train", "load_pretrained")):
        page.goto(f"{address}/search.html?q={word}")
        expect(page.locator("#search-results")).to_contain_text(found)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.goto(f"{address}/book/glossary.html")
    page.get_by_role("button", name="Search").click()
    form = page.get_by_role("dialog", name="Search").locator("form")
    icon = form.locator("svg, i").first.bounding_box()
    field = form.locator("input")
    box = field.bounding_box()
    assert icon and box
    padding = field.evaluate("field => parseFloat(getComputedStyle(field).paddingLeft)")
    assert icon["x"] + icon["width"] <= box["x"] + padding
    page.close()


def test_code_fits_its_box(address: str, browser: Browser) -> None:
    page = browser.new_page()
    for path in (ROOT / "book").glob("*.md"):
        page.goto(f"{address}/book/{path.stem}.html")
        blocks = page.locator(".highlight-python pre")
        wider = "all => all.map(box => box.scrollWidth - box.clientWidth)"
        assert {*blocks.evaluate_all(wider)} <= {0}, path.stem
        ground = "all => all.map(box => getComputedStyle(box).backgroundColor)"
        (page_ground,) = page.locator("body").evaluate_all(ground)
        assert page_ground not in blocks.evaluate_all(ground)
    page.close()


def test_the_first_page_is_light(address: str, browser: Browser) -> None:
    page = browser.new_page()
    sizes: dict[str, int] = {}
    page.on("response", lambda got: sizes.update({got.url: len(got.body())}))
    page.goto(f"{address}/book/intro.html")
    book_site.settle(page)
    page.close()
    assert sum(sizes.values()) < 950_000, sorted(sizes.items(), key=lambda s: -s[1])


def test_on_a_phone_the_words_in_a_figure_are_9_pixels_high(
    address: str, browser: Browser
) -> None:
    sources = [*ROOT.glob("notebooks/*.ipynb"), ROOT / "mnistedu" / "plotting.py"]
    drawn = "".join(path.read_text("utf-8") for path in sources)
    sizes = re.findall(r"(?:font|label)size=(\d+)", drawn)
    shrunk = min(map(int, sizes)) * 100 / 72  # a point in a figure of 100 dpi
    page = browser.new_page(viewport={"width": 390, "height": 664})
    for path in sorted(ROOT.glob("notebooks/*.ipynb")):
        page.goto(f"{address}/notebooks/{path.stem}.html")
        scales = page.locator(".cell_output img").evaluate_all(
            "all => all.map(image => image.clientWidth / image.getAttribute('width'))"
        )
        assert min(scales) * shrunk >= 9, path.stem
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, path.stem
    page.close()


def test_on_a_phone_no_name_in_a_table_is_a_heap_of_words(
    address: str, browser: Browser
) -> None:
    page = browser.new_page(viewport={"width": 390, "height": 664})
    for name in ("harder", "weights"):
        page.goto(f"{address}/book/{name}.html")
        lines = page.locator("table:has(td.text-right) td:first-child").evaluate_all(
            """all => all.map(cell => {
                const {lineHeight, padding} = getComputedStyle(cell)
                const height = cell.clientHeight - 2 * parseFloat(padding)
                return height / parseFloat(lineHeight)
            })"""
        )
        assert max(lines) <= 3.5, name
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, name
    page.close()


def test_an_option_does_not_break_after_its_dashes(
    address: str, browser: Browser
) -> None:
    page = browser.new_page()
    page.goto(f"{address}/book/weights.html")
    options = page.locator("code .pre").filter(has_text=re.compile("^--"))
    heights = options.evaluate_all(
        """all => all.flatMap(option => {
            option.closest("p").style.width = "0"
            return option.getClientRects().length
        })"""
    )
    assert {*heights} == {1}
    page.close()


def test_tooltips_say_more_than_the_names_of_their_buttons(
    address: str, browser: Browser
) -> None:
    page = browser.new_page(java_script_enabled=False)  # the theme's moves titles away
    page.goto(f"{address}/notebooks/02_one_layer.html")
    for button in page.locator("button[aria-label]").all():
        said = [button.get_attribute(name) for name in ("title", "data-bs-title")]
        assert button.get_attribute("aria-label") not in said
    field = page.locator(".search-button-field")
    expect(field).not_to_have_attribute("title", "Search")  # which one reads on it
    following = page.get_by_role("link", name="Next 3. Many layers")
    expect(following).to_have_accessible_description("")
    page.close()


def test_a_tooltip_lies_in_the_landmark_of_its_button_until_escape(
    address: str, browser: Browser
) -> None:
    page = browser.new_page()
    page.goto(f"{address}/notebooks/02_one_layer.html")
    page.get_by_role("button", name="Fullscreen mode").focus()
    tooltip = page.get_by_role("tooltip")
    expect(tooltip).to_have_class(re.compile(r"\bshow\b"))
    rule = {"type": "rule", "values": ["region"]}
    assert book_site.barriers(page, book_site.ANY, runOnly=rule) == []
    page.keyboard.press("Escape")
    expect(tooltip).to_have_css("opacity", "0")
    page.close()


def test_search_finds_a_word(address: str, browser: Browser) -> None:
    page = browser.new_page()
    page.goto(f"{address}/search.html?q=softmax")
    expect(page.locator("#search-results li").first).to_be_visible(timeout=30_000)
    expect(page.get_by_role("status")).to_contain_text("Search finished, found ")
    book_site.settle(page)  # with all excerpts
    excerpts = page.locator("#search-results .context").all_inner_texts()
    assert any("…" in text for text in excerpts)
    assert [text for text in excerpts if re.search(r"\\[([].*\\[])]", text)] == []
    page.close()


def test_a_keyboard_stays_on_a_button_and_hears_what_it_did(
    address: str, browser: Browser
) -> None:
    page = browser.new_page(color_scheme="light", reduced_motion="reduce")
    page.goto(f"{address}/notebooks/02_one_layer.html")
    page.locator("mjx-container").first.wait_for()
    expect(page.locator("mjx-container[tabindex='0']")).to_have_count(0)

    copy = page.locator(".copybtn:visible").first
    copy.press("Enter")
    expect(page.locator("main > [role=status]")).to_have_text("Copied")
    expect(copy).to_be_focused()

    mode = page.get_by_role("button", name="Colour mode: auto")
    mode.press("Enter")
    expect(page.get_by_role("button", name="Colour mode: dark")).to_be_focused()

    # What comes late above is not to move it either.
    page.add_style_tag(content="html { overflow-anchor: none }")
    page.evaluate("scrollTo(0, 1200)")
    for key in ("Enter", "Shift+Tab", "Tab"):
        page.keyboard.press(key)
        # A scroll would take its time. A tooltip comes after 500 ms; measured in that
        # instant the page is now and then 8 pixels lower, and unmeasured it is not.
        page.wait_for_timeout(1000)
        assert page.evaluate("scrollY") == 1200

    sidebar = page.get_by_role("button", name="Toggle primary sidebar")
    for is_open in ("false", "true"):
        sidebar.press("Enter")
        expect(sidebar).to_be_focused()
        expect(sidebar).to_have_attribute("aria-expanded", is_open)

    page.set_viewport_size({"width": 390, "height": 664})
    expect(sidebar).to_have_attribute("aria-expanded", "false")
    search = page.get_by_role("button", name="Search")
    for button, name in ((sidebar, "Chapters"), (search, "Search")):
        for left in range(2):  # and so with the focus outside the dialog
            button.press("Enter")
            expect(page.get_by_role("dialog", name=name)).to_be_visible()
            if left:
                page.evaluate("document.activeElement.blur()")
            page.keyboard.press("Escape")
            expect(button).to_be_focused()
    # What is too wide for a phone is scrolled with the arrow keys.
    wide = page.get_by_role("group", name="Formula")
    for formula in [wide.first, wide.last]:
        expect(formula).to_have_attribute("tabindex", "0")
    page.close()


@pytest.mark.parametrize(
    ("name", "kinds"),
    [
        ("book/notation", ["A wide table"]),
        ("notebooks/10_draw", ["A wide picture", "Code", "Output"]),
    ],
)
def test_what_scrolls_says_what_it_is(
    address: str, browser: Browser, name: str, kinds: list[str]
) -> None:
    page = browser.new_page(viewport={"width": 390, "height": 664})
    page.goto(f"{address}/{name}.html")
    for kind in kinds:
        stop = page.get_by_role("group", name=kind, exact=True).first
        expect(stop).to_have_attribute("tabindex", "0")
    nameless = "article :is(div, pre)[tabindex='0']:not([aria-label]):visible"
    expect(page.locator(nameless)).to_have_count(0)
    page.close()


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("notebooks/03_many_layers", "div.cell_output a.image-reference"),
        ("notebooks/10_draw", "div.wide"),
        ("book/train", "details.sd-dropdown > summary"),
        ("notebooks/07_evaluation", "div.output.stream pre[tabindex='0']"),
    ],
)
def test_the_focus_is_seen_where_a_box_would_cut_its_ring(
    address: str, browser: Browser, name: str, place: str
) -> None:
    size = {"width": 390, "height": 664}
    page = browser.new_page(viewport=size, reduced_motion="reduce")
    page.goto(f"{address}/{name}.html")
    book_site.settle(page)
    page.keyboard.press("Tab")  # so that a focus is a keyboard's
    focused = page.locator(place).first
    pictures = []
    for act in ("focus", "blur"):
        focused.evaluate(f"e => e.{act}()")
        page.wait_for_timeout(300)
        pictures.append(to_tensor(Image.open(BytesIO(page.screenshot()))))
    changed = (pictures[0] - pictures[1]).abs().amax(0) > 0.3
    assert changed.sum() > 1000  # a line of two pixels or more around it
    page.close()


def test_the_contents_make_way_and_mark_where_one_is(
    address: str, browser: Browser
) -> None:
    context = browser.new_context(
        viewport={"width": 390, "height": 664}, has_touch=True, is_mobile=True
    )
    phone = context.new_page()
    phone.goto(f"{address}/notebooks/05_cnn.html")
    phone.get_by_role("button", name="Toggle secondary sidebar").tap()
    contents = phone.get_by_role("dialog", name="On this page")
    heights = "links => links.map(link => link.offsetHeight).filter(Boolean)"
    assert min(contents.get_by_role("link").evaluate_all(heights)) >= 44
    expect(phone.locator(".copybtn").first).to_be_hidden()
    contents.get_by_role("link", name="The size of a map").tap()
    expect(contents).to_be_hidden()
    expect(phone.get_by_role("heading", name="The size of a map")).to_be_in_viewport()
    context.close()

    page = browser.new_page(reduced_motion="reduce")
    page.goto(f"{address}/notebooks/05_cnn.html")
    marked = page.locator("#pst-page-toc-nav a.active")
    book_site.settle(page)
    page.locator("mjx-container").last.wait_for()  # what comes late stops no scroll
    for _ in range(2):
        page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
        expect(marked).to_have_text("Quiz")
        expect(marked).to_have_attribute("aria-current", "true")
        page.evaluate("scrollTo(0, 0)")
        expect(marked).to_have_count(0)
    page.close()


def test_the_contents_cover_no_note(address: str, browser: Browser) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.goto(f"{address}/notebooks/07_evaluation.html")
    note = page.locator("div.margin:has(a)").first
    covered = """(note, share) => {
        const {top} = note.getBoundingClientRect()
        scrollBy({top: top - share * innerHeight, behavior: "instant"})
        return new Promise((done) => setTimeout(() => {
            const {left, top} = note.firstElementChild.getBoundingClientRect()
            done(!note.contains(document.elementFromPoint(left + 20, top + 5)))
        }, 600))}"""
    for share in (0.8, 0.7, 0.6, 0.5, 0.4, 0.3):
        assert not note.evaluate(covered, share), share
    # But a link in the contents that a keyboard has reached is seen.
    link = page.locator("#pst-page-toc-nav a").nth(4)
    link.press("Shift")
    expect(page.locator("#pst-page-toc-nav")).to_have_css("opacity", "1")
    seen = """link => {
        const {left, top} = link.getBoundingClientRect()
        return link.contains(document.elementFromPoint(left + 5, top + 5))}"""
    page.wait_for_timeout(600)
    assert link.evaluate(seen)
    page.close()


def test_the_list_of_modules_is_open_and_legible(
    address: str, browser: Browser
) -> None:
    page = browser.new_page(color_scheme="dark")
    page.goto(f"{address}/py-modindex.html")
    expect(page.locator("img.toggler")).to_be_hidden()  # 11 pixels, and by mouse only
    expect(page.get_by_role("link", name="mnistedu.gradcam")).to_be_visible()
    colours = """head => [getComputedStyle(head).backgroundColor,
        getComputedStyle(head.querySelector("strong")).color]
        .map(rgb => Math.max(...rgb.match(/\\d+/g).slice(0, 3).map(Number)))"""
    ground, letter = page.locator("tr.cap").first.evaluate(colours)
    assert letter - ground > 120
    page.close()


def test_a_search_in_vain_says_so(address: str, browser: Browser) -> None:
    page = browser.new_page()
    page.goto(f"{address}/search.html?q=xyzzy")
    expect(page.locator("#search-results")).to_contain_text("No page has all of these")
    page.close()


def test_a_chart_follows_the_theme_and_keeps_its_hues(
    address: str, browser: Browser
) -> None:
    page = browser.new_page(color_scheme="light", reduced_motion="reduce")
    page.goto(f"{address}/notebooks/02_one_layer.html")
    chart = page.locator(".tag_chart img").last  # of dots, all of them blue
    pixels = page.locator(".cell:not(.tag_chart) .cell_output img").first

    def seen(figure: Locator) -> torch.Tensor:
        figure.scroll_into_view_if_needed()
        figure.evaluate("figure => figure.decode?.()")  # it comes when it is near
        with Image.open(BytesIO(figure.screenshot())) as picture:
            return to_tensor(picture.convert("RGB"))

    light = seen(chart)
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    dark, ground = seen(chart), seen(page.locator("body"))[:, -5, -5]
    assert (light[:, 20, 0] == 1).all()  # the edge below a corner, which is rounded
    assert (seen(pixels)[:, 20, 0] == 1).all()
    torch.testing.assert_close(dark[:, 20, 0], ground, atol=0.01, rtol=0)
    assert light.amax(0).amin() < 0.1 < 0.9 < dark.amin(0).amax()  # its letters
    for picture in (light, dark):
        warm = picture[0] - picture[2]
        assert (warm.amax() < 0.1) and (warm.amin() < -0.5)  # blue, and nothing else
    page.emulate_media(media="print")
    assert chart.evaluate("image => getComputedStyle(image).filter") == "none"
    page.close()


def test_on_paper_what_was_folded_is_there_at_once(
    address: str, browser: Browser
) -> None:
    page = browser.new_page()
    page.goto(f"{address}/notebooks/03_many_layers.html")
    page.emulate_media(media="print")
    shown = """() => {
        dispatchEvent(new Event("beforeprint"));
        return [...document.querySelectorAll("details > :not(summary)")].map(
            (part) => getComputedStyle(part).opacity)}"""
    assert {*page.evaluate(shown)} == {"1"}
    expect(page.locator("h1:visible").first).to_have_text("3. Many layers")
    names = {*page.locator("details.hide > summary").all_inner_texts()}
    assert {"A solution", "What is imported"} <= names
    assert [name for name in names if name.startswith(("Hide", "Show"))] == []
    page.close()


def test_chapters_lead_to_where_they_can_be_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = ROOT / "book" / "extensions" / "launch_buttons.py"
    extension = runpy.run_path(str(path))
    add_buttons = extension["add_buttons"]
    config = SimpleNamespace(html_theme_options={"logo": {}})

    monkeypatch.delenv("GITHUB_REPOSITORY", raising=False)
    add_buttons(None, config)
    assert config.html_theme_options == {"logo": {}}

    monkeypatch.setenv("GITHUB_REPOSITORY", "someone/mnistedu")
    monkeypatch.setenv("GITHUB_REF_NAME", "main")
    add_buttons(None, config)
    options = config.html_theme_options
    assert options["repository_url"] == "https://github.com/someone/mnistedu"
    assert {"binderhub_url", "colab_url"} <= set(options["launch_buttons"])

    # As the theme makes them: Colab opens the copy that installs the package.
    chapter = "https://colab.example/github/someone/mnistedu/blob/{}/notebooks/01.ipynb"
    button = {"text": "Colab", "url": chapter.format("main")}
    context = {"header_buttons": [{"buttons": [button]}, {"type": "search"}]}
    app = SimpleNamespace(config=config)
    extension["lead_to_colab"](app, "notebooks/01", "page.html", context, None)
    assert button["url"] == chapter.format("colab")
