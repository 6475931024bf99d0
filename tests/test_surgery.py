"""The operating table in its page: used in Chromium, compared with torch."""

import re
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import book_site
import pytest
import torch
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect
from torch import Tensor

from mnistedu.activations import feature_maps, replace_channels
from mnistedu.checkpoints import load_pretrained
from mnistedu.data import load
from mnistedu.gradcam import hires_cam
from mnistedu.models import ConvNet
from mnistedu.preprocess import center_digit, normalize
from mnistedu.strokes import SAMPLES, rasterize

expect.set_options(timeout=60_000)  # a busy machine takes its time

PAGE = "notebooks/09_feature_maps.html"
THEME = "theme => document.documentElement.dataset.theme = theme"
WIDE = "document.documentElement.scrollWidth"
# The numbers behind the picture, out of the page's own modules.
READ = """async ([folder, strokes, cuts]) => {
    const {rasterize} = await import(folder + "ink.js")
    const {center} = await import(folder + "center.js")
    const {Ours} = await import(folder + "ours.js")
    const {donors, run} = await import(folder + "surgery/network.js")
    const {Masks} = await import(folder + "surgery/masks.js")
    const info = await (await fetch(folder + "surgery/digits.json")).json()
    const {convnet} = await Ours.first()
    const whole = new Masks(info).numbers()
    const masks = new Masks(info, donors(convnet, info.samples, whole))
    for (const cut of cuts) masks.toggle(...cut)
    const digit = center(rasterize(strokes))
    const kept = [] // of the whole network: no part that follows a cut may use it
    run(convnet, digit, whole, kept)
    const {logits, heat} = run(convnet, digit, masks.numbers(), kept)
    return {logits: [...logits], heat: [...heat.data], means: info.means}
}"""
# A map is changed while a trial waits for the count of the map before: in one go, so
# that no count can end meanwhile, however few digits there are.
CHANGED_WHILE_IT_WAITS = """async table => {
    const maps = table.querySelectorAll("[role=option]")
    maps[1].click()
    table.querySelector(".needs button").click()
    for (let i = 0; i < 100; i++) await null
    maps[2].click()
}"""
CUTS: list[list[tuple[Any, ...]]] = [
    [],
    [(0, 3, "zero")],
    [(1, 12, "mean"), (1, 59, "mean")],
    [(2, 100, "times", -1)],
    [(1, 59, "donor", 9)],
    [(3, 7, "mean"), (0, 1, "times", 3), (1, 60, "zero")],
]


@pytest.fixture(scope="module")
def model() -> ConvNet:
    model = load_pretrained()
    assert isinstance(model, ConvNet)
    return model.requires_grad_(False)


@pytest.fixture(scope="module")
def table(context: BrowserContext, address: str) -> Locator:
    page = context.new_page()
    page.goto(f"{address}/{PAGE}")
    return reach(page)


@pytest.fixture(autouse=True)
def whole_again(request: pytest.FixtureRequest) -> None:
    """Each test finds the second block of the whole network, and an empty sheet."""
    if "table" in request.fixturenames:
        table = request.getfixturevalue("table")
        table.get_by_role("button", name="Clear").click()
        table.get_by_role("radio", name="Block 2").check()
        table.get_by_role("radio", name="its mean").check()
        table.get_by_role("button", name="Reset").click()
        expect(table.get_by_role("status")).to_contain_text("The network is whole.")


def reach(page: Page) -> Locator:
    table = page.locator(".live-surgery")
    table.locator(".sheet").focus()
    expect(table).to_have_attribute("data-ready", "")
    return table


def option(table: Locator, channel: int) -> Locator:
    return table.locator("[role=option]").nth(channel)


def draw(table: Locator, digit: int) -> None:
    table.locator(".sheet").focus()
    table.page.keyboard.press(str(digit))
    expect(table).to_have_attribute("data-prediction", re.compile(r"\d"))


def ablate(
    model: ConvNet, cuts: list[tuple[Any, ...]], images: Tensor, means: list[Tensor]
) -> ExitStack:
    """The cuts, with the chapter's own function, for as long as the stack is open."""
    hooks = ExitStack()
    for block, channel, kind, *factor in cuts:
        values: Tensor | float = 0.0
        if kind == "mean":
            values = means[block][channel]
        elif kind == "times":  # of what comes out when the cuts before are made
            maps = feature_maps(model, images, f"blocks.{block}")
            values = factor[0] * maps[:, [channel]]
        elif kind == "donor":
            values = donated(model, block, channel, factor[0])
        hooks.enter_context(
            replace_channels(model, f"blocks.{block}", [channel], values)
        )
    return hooks


def donated(model: ConvNet, block: int, channel: int, digit: int) -> Tensor:
    """What a channel puts out for the sample of a digit."""
    image = normalize(center_digit(rasterize(SAMPLES[digit])))
    return feature_maps(model, image, f"blocks.{block}")[0, [channel]]


@pytest.mark.parametrize("cuts", CUTS)
def test_the_page_computes_what_torch_computes(
    table: Locator, address: str, model: ConvNet, cuts: list[tuple[Any, ...]]
) -> None:
    folder = f"{address}/_static/live/"
    got = table.page.evaluate(READ, [folder, SAMPLES[7], cuts])
    images = normalize(center_digit(rasterize(SAMPLES[7])))
    means = [torch.tensor(each) for each in got["means"]]
    cuts = sorted(cuts)  # what is multiplied has passed the cuts before it
    with ablate(model, cuts, images, means):
        expected = model(images)[0]
        heat = torch.cat([hires_cam(model, images, "blocks", c) for c in range(10)])
    logits, found = torch.tensor(got["logits"]), torch.tensor(got["heat"])
    torch.testing.assert_close(logits, expected, atol=2e-3, rtol=0)
    if not any(block == 3 for block, *_ in cuts):  # its hook is not what hires_cam sees
        torch.testing.assert_close(found, heat.flatten(), atol=2e-3, rtol=0)
    sums = found.view(10, -1).sum(1) + model.head.bias
    torch.testing.assert_close(sums, logits, atol=1e-3, rtol=0)
    if cuts:
        assert (model(images)[0] - expected).abs().max() > 0.01


def test_a_click_switches_a_map_off_and_a_thousand_digits_follow(
    table: Locator, model: ConvNet
) -> None:
    draw(table, 7)
    whole = accuracy(table)
    heard = book_site.listen(table.locator(".headline[aria-live=polite]"))
    cut = [1, 2, 12, 16, 33, 48, 60]
    for channel in cut:
        option(table, channel).click()
        expect(option(table, channel)).to_have_attribute("aria-selected", "true")
    off = re.compile(r"^map 12, off \(mean\), largest value \d\.\d$")
    expect(option(table, 12)).to_have_attribute("aria-label", off)
    said = table.get_by_role("status")
    expect(said).to_contain_text(
        "Block 2: maps 1, 2, 12, 16, 33, 48 and 60 off (mean). It reads a"
    )
    val = load().val
    images, targets = normalize(val.images[:1000]), val.targets[:1000]
    values = feature_maps(model, images, "blocks.1").mean((0, 2, 3))[cut]
    with replace_channels(model, "blocks.1", cut, values[:, None, None]):
        logits = model(images)
    right = logits.argmax(1) == targets
    assert accuracy(table) == pytest.approx(right.float().mean().item(), abs=0.0011)
    assert heard()[-1].startswith(f"{100 * accuracy(table):.1f}% of ")
    others = logits.scatter(1, targets[:, None], -torch.inf).amax(1)
    lead = (logits.gather(1, targets[:, None])[:, 0] - others)[targets == 7].mean()
    shown = table.locator(".result tbody tr").first.locator("td").nth(7)
    number = float(shown.inner_text().replace("−", "-"))
    assert number == pytest.approx(lead.item(), abs=0.06)

    option(table, 12).click()  # a second click mends it
    seven = normalize(center_digit(rasterize(SAMPLES[7])))
    largest = feature_maps(model, seven, "blocks.1")[0, 12].max()
    label = f"map 12, largest value {largest:.1f}"
    expect(option(table, 12)).to_have_attribute("aria-label", label)
    table.get_by_role("button", name="Reset").click()
    expect(said).to_contain_text("The network is whole. It reads a 7")
    assert accuracy(table) == whole


def accuracy(table: Locator) -> float:
    expect(table).to_have_attribute("data-accuracy", re.compile(r"\d"))
    return float(table.get_attribute("data-accuracy") or "")


def test_by_keyboard_with_each_of_the_tools(table: Locator) -> None:
    keyboard = table.page.keyboard
    said = table.get_by_role("status")
    option(table, 0).focus()
    keyboard.press("ArrowRight")
    keyboard.press("Space")
    expect(option(table, 1)).to_be_focused()
    keyboard.press("End")
    keyboard.press("Enter")
    expect(said).to_contain_text("Block 2: maps 1 and 63 off (mean).")
    table.get_by_role("radio", name="zero").check()  # in the place of both
    expect(said).to_contain_text("Block 2: maps 1 and 63 off (zero).")
    option(table, 63).focus()
    keyboard.press("Enter")
    expect(said).to_contain_text("Block 2: map 1 off (zero).")
    table.get_by_role("combobox", name="digit").select_option("8")
    expect(table.get_by_role("radio", name="what it says for a")).to_be_checked()
    expect(said).to_contain_text("Block 2: map 1 from an 8.")
    table.get_by_role("slider", name="times").focus()
    keyboard.press("Home")
    expect(table.get_by_role("radio", name="times")).to_be_checked()
    expect(said).to_contain_text("Block 2: map 1 times −1.")
    table.get_by_role("radio", name="its mean").check()
    expect(said).to_contain_text("Block 2: map 1 off (mean).")
    table.get_by_role("radio", name="Block 1").check()
    expect(table.locator("[role=option]")).to_have_count(32)
    option(table, 4).click()
    table.get_by_role("radio", name="times").check()  # of this block only
    expect(said).to_contain_text("Block 1: map 4 times −1. Block 2: map 1 off (mean).")


def test_a_digit_that_draws_itself_is_said_once(table: Locator) -> None:
    heard = book_site.listen(table.get_by_role("status"))
    table.page.emulate_media(reduced_motion="no-preference")
    draw(table, 4)
    expect(table.get_by_role("status")).to_contain_text("It reads a 4")
    table.page.emulate_media(reduced_motion="reduce")
    assert len(heard()) == 1


def test_two_digits_are_hardly_one(table: Locator) -> None:
    book_site.two_ones(table.locator(".sheet"))
    said = table.get_by_role("status")
    expect(said).to_contain_text("These look like 2 digits: draw one at a time.")
    expect(table).to_have_class(re.compile(r"\bdoubted\b"))
    table.page.mouse.move(0, 0)  # pointing at no bar
    expect(table.locator(".answer .hint")).to_have_text(re.compile("2 digits"))
    table.get_by_role("button", name="Take a validation digit").click()
    expect(said).to_contain_text("It reads a")
    expect(table).not_to_have_class(re.compile(r"\bdoubted\b"))


def test_what_a_chosen_bar_shows_is_said(table: Locator) -> None:
    table.page.mouse.move(0, 0)  # pointing at no bar
    draw(table, 7)
    heard = book_site.listen(table.locator("p.visually-hidden[aria-live]"))
    bar = (
        table.get_by_role("toolbar", name="How sure it is").get_by_role("button").nth(2)
    )
    bar.press("Enter")
    expect(table.locator(".answer .hint")).to_contain_text("the logit of a 2, red")
    assert heard() == [table.locator(".answer .hint").inner_text()]
    bar.press("Enter")


def test_a_digit_of_the_validation_set_is_read(table: Locator) -> None:
    table.get_by_role("button", name="Take a validation digit").click()
    expect(table).to_have_attribute("data-prediction", re.compile(r"\d"))
    expect(table.get_by_role("status")).to_contain_text("It reads a")
    expect(table.locator(".answer .hint")).to_contain_text("with the bias ")


def test_which_maps_a_digit_needs(table: Locator) -> None:
    table.get_by_role("radio", name="Block 4").check()  # nothing but the head follows
    expect(table.locator("[role=option]")).to_have_count(128)
    accuracy(table)
    heard = book_site.listen(table.locator(".needs .hint"))
    table.get_by_role("button", name="Try each of the 128 maps").click()
    needs = table.locator(".needs canvas")
    expect(needs).to_have_attribute(
        "aria-label", re.compile(r"needs most\. 0: map \d+, .* 9: map \d+\.")
    )
    begun, found = heard()
    assert begun == "1 of 128 maps tried …"
    assert re.search(r"Most of all a \d needs map \d+", found)
    leads = table.locator(".result tbody tr").first.locator("td")
    before = [float(text) for text in leads.all_inner_texts()]
    table.get_by_role("combobox", name="Change the").select_option("24")
    table.get_by_role("button", name="Change what 7 needs").click()
    expect(table.locator("[aria-selected=true]")).to_have_count(24)
    accuracy(table)
    after = [float(text.replace("−", "-")) for text in leads.all_inner_texts()]
    lost = [a - b for a, b in zip(before, after, strict=True)]
    assert max(lost) == lost[7] > 1  # and so of no other digit more
    headline = table.locator(".headline").inner_text()
    expect(table.locator(".needs .cost")).to_have_text(headline)  # where one looks
    table.get_by_role("combobox", name="Change the").select_option("8")
    table.get_by_role("button", name="at random").click()
    expect(table.locator("[aria-selected=true]")).to_have_count(8)


def test_who_changes_the_network_while_maps_are_tried_begins_anew(
    table: Locator,
) -> None:
    table.get_by_role("button", name="Try each").click()
    expect(table.locator(".needs .hint")).to_contain_text("of 64 maps tried")
    option(table, 5).click()
    expect(table.locator(".needs canvas")).to_be_hidden()
    accuracy(table)
    expect(table.locator(".needs .hint")).to_contain_text("Guess first")


def test_a_second_trial_begins_with_nothing_of_the_first(table: Locator) -> None:
    trial = table.get_by_role("button", name="Try each")
    trial.click()
    expect(table.locator(".needs .cuts")).to_be_visible(timeout=180_000)
    option(table, 5).click()
    accuracy(table)
    trial.click()
    expect(table.locator(".needs .cuts")).to_be_hidden()
    expect(table.locator(".needs .hint")).to_contain_text("of 64 maps tried")
    option(table, 6).click()
    expect(table.locator(".needs canvas")).to_be_hidden()
    accuracy(table)
    expect(table.locator(".needs .hint")).to_contain_text("Guess first")


def test_it_needs_no_newer_browser_than_the_rest(
    context: BrowserContext, address: str
) -> None:
    page = context.new_page()
    page.add_init_script("delete Map.groupBy; delete Object.groupBy")  # of 2023
    page.goto(f"{address}/{PAGE}")
    table = reach(page)
    option(table, 12).click()
    option(table, 3).click()
    said = table.get_by_role("status")
    expect(said).to_contain_text("Block 2: maps 3 and 12 off (mean).")
    page.close()


def test_a_trial_waits_for_the_count_of_what_was_changed_last(table: Locator) -> None:
    table.evaluate(CHANGED_WHILE_IT_WAITS)
    accuracy(table)
    expect(table.locator(".needs .hint")).to_contain_text("of 64 maps tried")


def test_everybody_can_use_it(table: Locator) -> None:
    draw(table, 3)
    option(table, 9).click()
    accuracy(table)
    name = table.get_by_role("heading", name="Operating table", level=4)
    expect(name).to_have_count(1)  # for its section is one of level 3
    page = table.page
    page.add_style_tag(content="* { transition: none !important }")
    for theme in ("light", "dark"):
        page.evaluate(THEME, theme)
        assert book_site.barriers(page) == [], theme


def test_a_phone_shows_it_within_its_width(browser: Browser, address: str) -> None:
    screen = {"width": 390, "height": 844}
    context = browser.new_context(viewport=screen, has_touch=True, is_mobile=True)
    page = context.new_page()
    page.goto(f"{address}/{PAGE}")
    page.locator(".live-surgery .pad").wait_for()
    assert book_site.barriers(page) == []  # as it is before one reaches for it
    table = reach(page)
    assert page.evaluate(WIDE) <= 390
    for part in (".sheet", "[role=option] >> nth=0"):
        box = table.locator(part).bounding_box()
        assert box and box["width"] >= 30
    controls = table.locator("button, select, label:has(input)").filter(visible=True)
    heights = "all => Math.min(...all.map(({offsetHeight}) => offsetHeight))"
    assert controls.evaluate_all(heights) >= 44
    context.close()


@pytest.mark.parametrize("part", ["digits.bin", "convnet.safetensors", "worker.js"])
def test_what_did_not_arrive_is_asked_for_again(
    browser: Browser, address: str, part: str
) -> None:
    page = browser.new_page()
    fetched: list[str] = []
    page.on("request", lambda request: fetched.append(request.url))
    page.route(f"**/{part}*", lambda route: route.abort())
    page.goto(f"{address}/{PAGE}")
    page.locator(".live-surgery .pad").wait_for()
    book_site.settle(page)
    assert not [url for url in fetched if re.search(r"safetensors|worker|\.bin", url)]
    sheet = page.locator(".live-surgery .sheet")
    sheet.focus()
    said = page.locator(".live-surgery [role=status]")
    expect(said).to_contain_text("check the connection")
    page.unroute(f"**/{part}*")
    sheet.blur()
    table = reach(page)
    draw(table, 4)
    accuracy(table)
    page.close()


@pytest.mark.parametrize("why", ["a file", "no JavaScript", "paper"])
def test_a_picture_stands_in_where_nothing_can_run(
    browser: Browser, site: Path, address: str, why: str
) -> None:
    context = browser.new_context(java_script_enabled=why != "no JavaScript")
    page = context.new_page()
    page.goto(f"{site.as_uri() if why == 'a file' else address}/{PAGE}")
    if why == "paper":
        page.locator(".live-surgery .pad").wait_for()
        page.emulate_media(media="print")
    expect(page.locator(".live-surgery img")).to_be_visible()
    expect(page.locator(".live-surgery .pad")).to_be_hidden()
    context.close()


def test_an_operation_takes_milliseconds(table: Locator) -> None:
    """The limit is wide: how fast it is says a quiet machine."""
    draw(table, 2)
    accuracy(table)
    table.page.evaluate("performance.clearMeasures()")
    for channel in range(10):
        option(table, channel).click()
        table.page.wait_for_timeout(30)
    entries = (
        "performance.getEntriesByName('live-surgery').map(({duration}) => duration)"
    )
    times = sorted(table.page.evaluate(entries))
    assert len(times) >= 8
    assert times[len(times) // 2] < 200


def test_on_a_phone_that_lies_all_is_told_and_can_be_touched(
    browser: Browser, address: str
) -> None:
    screen = {"width": 640, "height": 360}
    context = browser.new_context(viewport=screen, has_touch=True, is_mobile=True)
    page = context.new_page()
    page.goto(f"{address}/{PAGE}")
    table = page.locator(".live-surgery")
    table.locator(".sheet").focus()
    expect(table).to_have_attribute("data-ready", "")
    page.keyboard.press("7")
    expect(table).to_have_attribute("data-prediction", re.compile(r"\d"))
    name, seen = (table.locator(part).bounding_box() for part in (".sees h3", ".seen"))
    assert name and seen
    assert name["y"] + name["height"] <= seen["y"]
    widths = "all => all.map(e => Math.min(e.offsetWidth, e.offsetHeight))"
    table.locator(".cuts").evaluate("e => e.hidden = false")  # else after a minute
    assert min(table.locator(".cuts button").evaluate_all(widths)) >= 44
    # What a map deep in the table changed is told in the window, below the header.
    one = option(table, 63)
    one.tap()
    status = table.get_by_role("status").first
    expect(status).to_contain_text("off (mean)")
    expect(status).to_be_in_viewport(ratio=0.8)
    # And a control that comes into focus is not under it.
    page.keyboard.press("Shift+Tab")
    stop = page.locator(":focus").bounding_box()
    told = status.bounding_box()
    assert stop and told
    assert stop["y"] >= told["y"] + told["height"]
    context.close()
