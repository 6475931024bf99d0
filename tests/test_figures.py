"""The living figures of the book's pages: played with in Chromium."""

import re

import book_site
import pytest
import torch
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect
from torch import Tensor

from mnistedu.data import Digits

expect.set_options(timeout=60_000)  # a busy machine takes its time

PAGES = {"hill": "notebooks/02_one_layer.html"}
THEME = "theme => document.documentElement.dataset.theme = theme"
HILL = """async ([folder, ws]) => {
    const {loss, slope} = await import(folder + "figures/hill.js")
    return [ws.map(loss), ws.map(slope)]
}"""


def opened(page: Page, address: str, name: str) -> Locator:
    """The living figure of this name, near which its page was scrolled."""
    page.goto(f"{address}/{PAGES[name]}")
    figure = page.locator(f'[data-figure="{name}"]')
    figure.scroll_into_view_if_needed()
    expect(figure).to_have_class(re.compile("ready"))
    return figure


@pytest.fixture(scope="module")
def hill(context: BrowserContext, address: str) -> Locator:
    return opened(context.new_page(), address, "hill")


def weight(hill: Locator) -> float:
    return float(
        hill.get_by_role("slider", name="The point").get_attribute("aria-valuenow")
    )


def press(figure: Locator, name: str) -> None:
    figure.get_by_role("button", name=name, exact=True).click()


def test_a_step_goes_where_the_formula_says(hill: Locator) -> None:
    press(hill, "too high")
    said = hill.locator(".formula").inner_text()
    assert re.match(r"w ← 2\.00 − 40 × 0\.738 = −27\.5", said)
    press(hill, "Step")
    assert weight(hill) == pytest.approx(2 - 40 * 0.738, abs=0.1)
    expect(hill.get_by_role("status")).to_contain_text("After 1 step: w = −27.5")
    press(hill, "Back")
    assert weight(hill) == 2


def test_the_right_rate_arrives_and_a_low_one_does_not(hill: Locator) -> None:
    press(hill, "right")
    press(hill, "Play")
    expect(hill.get_by_role("status")).to_contain_text("This is the bottom.")
    expect(hill.get_by_role("button", name="Play")).to_be_visible()
    press(hill, "too low")
    for _ in range(12):
        press(hill, "Step")
    expect(hill.get_by_role("status")).to_contain_text("After 12 steps")
    assert weight(hill) > -1


def test_the_point_is_moved_by_hand_and_by_keyboard(hill: Locator) -> None:
    point = hill.get_by_role("slider", name="The point")
    point.press("Home")
    assert weight(hill) == -30
    point.press("ArrowRight")
    assert weight(hill) == -29.5
    box = hill.locator(".chart").bounding_box()
    assert box
    mouse = hill.page.mouse
    mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    mouse.down()
    half = weight(hill)
    mouse.move(box["x"] + box["width"] * 0.6, box["y"] + 10)
    mouse.up()
    assert -29.5 < half < weight(hill) < 0
    rate = hill.get_by_role("slider", name="Learning rate")
    rate.focus()
    before = hill.locator(".formula b").inner_text()
    rate.press("ArrowRight")
    assert float(hill.locator(".formula b").inner_text()) > float(before)


def test_the_hill_is_that_of_the_chapter(
    hill: Locator, address: str, mnist: Digits
) -> None:
    pair = mnist.train.targets < 2
    t = mnist.train.targets[pair].double()
    ink = mnist.train.images[pair].double().flatten(1).mean(1)
    u = (ink - ink.mean()) / ink.std()

    def loss(w: Tensor) -> Tensor:
        z = w[:, None] * u
        return torch.nn.functional.softplus(torch.where(t == 1, -z, z)).mean(1)

    ws = torch.linspace(-28, 4, 33, dtype=torch.double, requires_grad=True)
    losses = loss(ws)
    (slopes,) = torch.autograd.grad(losses.sum(), ws)
    got = hill.page.evaluate(HILL, [f"{address}/_static/live/", ws.tolist()])
    torch.testing.assert_close(
        torch.tensor(got[0]).double(), losses.detach(), atol=0.01, rtol=0
    )
    torch.testing.assert_close(
        torch.tensor(got[1]).double(), slopes, atol=0.001, rtol=0
    )


@pytest.mark.parametrize("name", PAGES)
def test_everybody_can_use_it(context: BrowserContext, address: str, name: str) -> None:
    page = context.new_page()
    opened(page, address, name)
    page.add_style_tag(content="* { transition: none !important }")
    for theme in ("light", "dark"):
        page.evaluate(THEME, theme)
        assert book_site.barriers(page) == [], theme
    page.close()


@pytest.mark.parametrize("name", PAGES)
def test_a_phone_shows_it_within_its_width(
    browser: Browser, address: str, name: str
) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844})
    page = context.new_page()
    figure = opened(page, address, name)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    box = figure.bounding_box()
    assert box
    assert box["width"] <= 390
    context.close()


@pytest.mark.parametrize("name", PAGES)
def test_a_figure_is_fetched_when_it_comes_near(
    browser: Browser, address: str, name: str
) -> None:
    page = browser.new_page()
    requests, _ = book_site.collect(page)
    page.goto(f"{address}/{PAGES[name]}")
    page.wait_for_load_state("networkidle")
    assert not [url for url in requests if f"figures/{name}.js" in url]
    page.locator(f'[data-figure="{name}"]').scroll_into_view_if_needed()
    page.locator(f'[data-figure="{name}"] .pad').wait_for()
    page.close()


def test_without_scripts_a_sentence_stands_there_and_on_paper_nothing(
    browser: Browser, address: str
) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{address}/{PAGES['hill']}")
    said = page.locator("[data-figure] figcaption")
    expect(said).to_contain_text("make serve")
    expect(said).to_be_visible()
    page.emulate_media(media="print")
    expect(said).to_be_hidden()
    context.close()
