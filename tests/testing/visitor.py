"""What a visitor does with the page."""

import hashlib
from pathlib import Path

from playwright.sync_api import Page, expect
from testing.browser import LONG, wait_until
from testing.pictures import PAINTING, PHOTOGRAPH

# Notes each picture that is shown while a run works, with the line below it.
WATCH = """() => {
    window.seen = new Map();
    const note = () => {
        const image = document.querySelector("#live img");
        if (image) window.seen.set(image.src, document.querySelector("#line").innerText);
    };
    new MutationObserver(note).observe(document.body, {childList: true, subtree: true,
        attributes: true, characterData: true});
}"""
LIVE = (
    """count => [...window.seen.values()].filter(line => line.includes("step")).length >= count"""
)


class Visitor:
    """A visitor before a page."""

    def __init__(self, page: Page):
        self.page = page
        self.line = page.locator("#line")
        # Gradio's own words, but for its events it would not be ready.
        page.locator("#paint").wait_for()

    def give(self, photograph: Path = PHOTOGRAPH, *paintings: Path):
        """Drop a photograph and paintings."""
        self.give_photograph(photograph)
        for number, painting in enumerate(paintings or (PAINTING,), 1):
            self._give(f"painting-{number}", painting)

    def give_photograph(self, photograph: Path):
        """Drop a photograph."""
        self._give("photograph", photograph)

    def _give(self, name: str, path: Path):
        # The server's small picture, not that which the browser shows until it comes.
        small = self.page.locator(f"#{name} img[src*='/visit-']")
        before = small.get_attribute("src") if small.count() else None
        self.page.locator(f"#{name} input[type=file]").set_input_files(path)
        self.wait_until(
            lambda: small.count() and small.get_attribute("src") != before, f"the {name}"
        )

    def unfold(self, name: str):
        """Open a fold."""
        button = self.page.locator(f"#{name} > button")
        if "open" not in (button.get_attribute("class") or "").split():
            button.click()

    def set(self, **settings):
        """Give settings values."""
        self.unfold("more")
        self.unfold("all-settings")
        for name, value in settings.items():
            field = self.setting(name)
            field.fill(str(value))
            field.press("Tab")

    def setting(self, name: str):
        """The field of a setting."""
        return self.page.locator(f"#setting-{name}").locator("input, textarea").first

    def click(self, name: str):
        """Click a button."""
        self.page.locator(f"#{name}").click()

    def paint(self):
        """Begin to paint, and watch."""
        self.page.evaluate(WATCH)
        self.click("paint")

    def see(self, pictures: int):
        """Wait until so many pictures of a run have been shown."""
        self.page.wait_for_function(LIVE, arg=pictures, timeout=LONG)

    def expect(self, words: str):
        """Wait for words in the line below the picture."""
        expect(self.line).to_contain_text(words, timeout=LONG)

    def shown(self) -> list[str]:
        """Digests of both pictures of the slider."""
        images = self.page.locator("#picture img")
        expect(images).to_have_count(2)
        urls = [image.get_attribute("src") for image in images.all()]
        found = [self.page.request.get(url).body() for url in urls]
        return [hashlib.sha256(body).hexdigest() for body in found]

    def download(self, folder: Path) -> Path:
        """The file behind the button, under its own name."""
        link = self.page.locator("#download")
        with self.page.expect_download() as download:
            link.click()
        path = folder / download.value.suggested_filename
        download.value.save_as(path)
        return path

    def draw(self, left: float, top: float, right: float, bottom: float):
        """Draw with the mouse from one point of the photograph to another, in parts of its size."""
        canvas = self.page.locator("#drawing canvas").first
        canvas.scroll_into_view_if_needed()
        box = canvas.bounding_box()
        x, y, width, height = box["x"], box["y"], box["width"], box["height"]
        mouse = self.page.mouse
        mouse.move(x + left * width, y + top * height)
        mouse.down()
        mouse.move(x + right * width, y + bottom * height, steps=10)
        mouse.up()

    def wait_until(self, condition, what: str):
        """As `browser.wait_until`, while the page goes on."""

        def looked():
            self.page.wait_for_timeout(20)
            return condition()

        return wait_until(looked, what)
