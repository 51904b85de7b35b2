"""The notebooks in a real JupyterLab in Chromium, from top to bottom with no one at the keyboard."""

import contextlib
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import nbformat
import notebook_lesson99
import pytest

from minillm.classroom import notebooks

HERE = Path(__file__).parent
COURSE = sorted((notebooks.ROOT / "notebooks").glob("*.ipynb"))
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
QUIET = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"]
QUIET += ["--disable-background-networking", "--disable-component-update"]
RUN_LIMIT_S = 180
PANEL = ".jp-NotebookPanel:not(.lm-mod-hidden)"
# where a machine runs every check on every change, a missing browser is a fault, elsewhere a reason
pytestmark = pytest.mark.skipif(
    CHROMIUM is None and not os.environ.get("CI"), reason="no Chromium on PATH: install chromium to run these"
)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Lab:
    """A JupyterLab of its own on the loopback address, with fresh folders, and a browser."""

    def __init__(self, url, token, browser, folder):
        self.url, self.token, self.browser, self.folder = url, token, browser, folder
        self.page = None

    def sessions(self):
        with urllib.request.urlopen(f"{self.url}/api/sessions?token={self.token}", timeout=10) as answer:
            return json.load(answer)

    def open(self, path):
        """Copy a notebook into the lab, open it, and wait until exactly one kernel is idle and connected, twice."""
        shutil.copy(path, self.folder / path.name)
        if self.page:
            self.page.close()
        for session in self.sessions():
            address = f"{self.url}/api/sessions/{session['id']}?token={self.token}"
            urllib.request.urlopen(urllib.request.Request(address, method="DELETE"), timeout=30)
        self.page = self.browser.new_page(viewport={"width": 1200, "height": 3000})
        # a workspace of its own: a shared one opens the last notebook too, and its kernel
        self.page.goto(f"{self.url}/lab/workspaces/{path.stem}/tree/{path.name}?token={self.token}")
        self.page.wait_for_selector(f"{PANEL} .jp-CodeCell", timeout=60_000)
        seen, end = 0, time.monotonic() + 90
        while seen < 2:
            kernels = [s["kernel"] for s in self.sessions()]
            ready = [k for k in kernels if k["execution_state"] == "idle" and k["connections"]]
            seen = seen + 1 if len(kernels) == len(ready) == 1 else 0
            assert time.monotonic() < end, f"no kernel came up: {kernels}"
            self.page.wait_for_timeout(500)

    def run_all(self):
        """Run every cell through the menu; return how many outputs are errors or went to stderr."""
        page = self.page
        # stored numbers would look like a finished run: clear them first
        page.get_by_role("menuitem", name="Edit", exact=True).click()
        page.locator('.lm-Menu-item[data-command="editmenu:clear-all"]').click()
        prompts = page.locator(f"{PANEL} .jp-CodeCell .jp-InputArea-prompt")
        page.get_by_role("menuitem", name="Run", exact=True).click()
        page.locator('.lm-Menu-item[data-command="runmenu:run-all"]').click()
        end = time.monotonic() + RUN_LIMIT_S
        while True:
            texts = prompts.all_text_contents()
            if texts and all(any(c.isdigit() for c in text) for text in texts):
                break
            if self.errors():
                page.wait_for_timeout(1000)
                break
            assert time.monotonic() < end, f"not done after {RUN_LIMIT_S} s: {texts}"
            page.wait_for_timeout(300)
        return self.errors()

    def errors(self):
        """Count error outputs and outputs on stderr."""
        stderr = '[data-mime-type="application/vnd.jupyter.stderr"]'
        failed = '[data-mime-type="application/vnd.jupyter.error"]'
        return self.page.locator(f"{PANEL} {stderr}, {PANEL} {failed}").count()

    def pictures(self):
        """Return the widths of the pictures shown."""
        images = self.page.locator(f"{PANEL} .jp-RenderedImage img")
        return [images.nth(i).evaluate("image => image.naturalWidth") for i in range(images.count())]


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """A running JupyterLab and a browser, at the speed REPLAY."""
    assert CHROMIUM, "no Chromium on PATH, and CI must try the browser"
    from playwright.sync_api import sync_playwright

    home, folder = tmp_path_factory.mktemp("jupyter"), tmp_path_factory.mktemp("notebooks")
    token, port = secrets.token_hex(16), free_port()
    fresh = {f"JUPYTER_{name}_DIR": str(home / name.lower()) for name in ("CONFIG", "DATA", "RUNTIME")}
    fresh |= {"JUPYTERLAB_SETTINGS_DIR": str(home / "settings"), "JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces")}
    environment = os.environ | fresh | {"MINILLM_SPEED": "REPLAY", "XDG_DATA_HOME": str(home / "learner")}
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, [str(HERE), os.environ.get("PYTHONPATH")]))
    options = [f"--ServerApp.root_dir={folder}", f"--IdentityProvider.token={token}", f"--port={port}"]
    options += ["--ip=127.0.0.1", "--no-browser", "--allow-root", "--ServerApp.port_retries=0"]
    options += ["--LabApp.news_url=", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"]
    with open(home / "log", "w", encoding="utf-8") as log:
        command = [sys.executable, "-m", "jupyterlab", *options]
        server = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT)
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(120):
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"{url}/api/status?token={token}", timeout=5)
                break
            assert server.poll() is None, (home / "log").read_text(encoding="utf-8")
            time.sleep(0.5)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
            yield Lab(url, token, browser, folder)
            browser.close()
    finally:
        server.terminate()
        server.wait(30)


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """The demonstration, not yet run, which needs no recording."""
    path = tmp_path_factory.mktemp("demo") / "99_demo.ipynb"
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "minillm.classroom.lessons.lesson99", notebook_lesson99)
        notebook = notebooks.from_text((HERE / "notebook_demo.txt").read_text(encoding="utf-8"))
        notebooks.sync(notebook, path)
    for cell in notebook.cells:
        cell.source = cell.source.replace("settings.speed, seed", '"LIVE", seed')
    notebooks.write(path, notebook)
    return path


def test_forms_work_by_keyboard_and_by_label(lab, demo):
    lab.open(demo)
    assert lab.run_all() == 0
    assert len(lab.pictures()) == 3 and min(lab.pictures()) > 0
    panel = lab.page.locator(PANEL)
    cells = panel.locator(".jp-Cell").count()

    def told(text):
        panel.get_by_role("status").filter(has_text=text).wait_for(timeout=10_000)

    def form(button):
        return panel.locator(".widget-vbox").filter(has=lab.page.get_by_role("button", name=button)).first

    def press(*keys):
        for key in keys:
            lab.page.keyboard.press(key)

    def in_an_empty_field():
        lab.page.wait_for_function("document.activeElement.matches('input:placeholder-shown')", timeout=10_000)

    quiz = form("Check answer")
    quiz.get_by_label("Your answer").focus()
    press("d", "d", "b", "ArrowDown", "Escape", "b")  # as commands they would change the notebook
    assert panel.locator(".jp-Cell").count() == cells
    assert quiz.get_by_label("Your answer").input_value() == "ddbb"
    press("Control+a", "D", "Tab", "6", "0", "Tab", "Space")  # on the button
    told("Your answer d: Not yet. That is in nats")
    in_an_empty_field()  # the keyboard is back in the field of the answer
    press("b", "Tab", "Tab", "Space")
    told("Your answer b: Correct. Two to the third is eight")
    press("Shift+Tab", "Shift+Tab", "c")  # the field is reached with its text selected
    assert quiz.get_by_label("Your answer").input_value() == "c"

    prediction = form("Commit prediction")
    prediction.get_by_role("button").focus()
    press("Space")
    told("The prediction is empty.")
    in_an_empty_field()
    press("2", ".", "5", "Tab", "7", "0", "Tab", "Space")
    told("Committed: 2.5 bits, 70% sure. Now run the cells below.")

    game = form("Skip")
    game.get_by_role("button", name="Score this round").focus()
    press("Space")
    told("Choose first, or press Skip.")
    in_an_empty_field()
    press("a", "Tab", "5", "0", "Tab", "Space")
    told("Round 1: It was")
    in_an_empty_field()
    press("Tab", "Tab", "Tab", "Space")
    told("Round 2: It was")
    assert panel.locator(".jp-Cell").count() == cells

    slider = panel.get_by_role("slider").filter(visible=True)
    before = panel.get_by_role("status").filter(has_text="a time").inner_text()
    for i in range(slider.count()):  # one of them is the sample viewer's
        slider.nth(i).focus()
        press("ArrowRight")
    lab.page.wait_for_timeout(500)
    after = panel.get_by_role("status").filter(has_text="a time").inner_text()
    assert before.count("<b>upon</b> a time") == 1 and after.count("<b>upon</b> a time") == 2


def test_an_error_in_a_notebook_is_seen(lab, demo, tmp_path):
    notebook = notebooks.read(demo)
    cell = next(cell for cell in notebook.cells if "return -math.log2(p)" in cell.source)
    cell.source = cell.source.replace("log2(p)", "log2(-p)")
    nbformat.write(notebook, tmp_path / "mutated.ipynb")
    lab.open(tmp_path / "mutated.ipynb")
    assert lab.run_all() > 0


@pytest.mark.parametrize("path", COURSE, ids=lambda path: path.stem)
def test_notebook_runs_clean_in_the_browser(lab, path):
    lab.open(path)
    assert lab.run_all() == 0
    assert lab.pictures() and min(lab.pictures()) > 0
