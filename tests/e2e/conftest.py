"""A running demo and a real browser, for the tests of the web app."""

import asyncio
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from threading import Thread
from typing import Final

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect

PROJECT: Final = Path(__file__).resolve().parents[2]
BROWSERS: Final = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM_FLAGS: Final = (
    "--no-sandbox",
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--ignore-gpu-blocklist",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
expect.set_options(timeout=30_000)  # a busy machine is not a fault; what comes to be so is not waited for


class RunningDemo:
    """`skybeat demo` as a process, on a data folder of its own; can be killed and started again."""

    def __init__(self, data_dir: Path, *, unit_count: int = 60, hour: int = 12, calls_per_minute: int = 1) -> None:
        self._data_dir = data_dir
        self._options = {"--units": unit_count, "--hour": hour, "--calls": calls_per_minute}
        self._process: subprocess.Popen[str] | None = None
        self._said: deque[str] = deque(maxlen=200)
        self._listener: Thread | None = None
        self.origin = ""
        self.port = 0

    @property
    def pid(self) -> int:
        """The process's number."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start it, on the port that it had before, and wait for its first dot."""
        options = [str(word) for option in ({"--port": self.port} | self._options).items() for word in option]
        command = [sys.executable, "-m", "console.cli", "demo", *options]
        environment = os.environ | {"SKYBEAT_DATA_DIR": str(self._data_dir), "PYTHONUNBUFFERED": "1"}
        self._process = subprocess.Popen(
            command, cwd=PROJECT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        assert self._process.stdout is not None
        said = []
        for line in self._process.stdout:
            said.append(line)
            if found := re.search(r"the demo runs: (http://\S+:(\d+))", line):
                self.origin, self.port = found[1], int(found[2])
            if "first dot after" in line:
                self._listener = Thread(target=self._said.extend, args=(self._process.stdout,), daemon=True)
                self._listener.start()
                return
        pytest.fail("the demo ended before its first dot:\n" + "".join(said))

    def sign_in_url(self, name: str = "admin") -> str:
        """Return a fresh one-time link for an account, the administrator's by default."""
        said = self.command("user", "link", name)
        found = re.search(r"http://\S+", said)
        assert found is not None, said
        return found[0]

    def command(self, *arguments: str) -> str:
        """Run a command of `skybeat` beside the demo and return what it said."""
        environment = os.environ | {"SKYBEAT_DATA_DIR": str(self._data_dir / "demo"), "SKYBEAT_PORT": str(self.port)}
        whole = [sys.executable, "-m", "console.cli", *arguments]
        done = subprocess.run(whole, cwd=PROJECT, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{' '.join(arguments)}: {done.stdout}{done.stderr}"
        return done.stdout

    @asynccontextmanager
    async def replaying(self, file: Path, *, speed: float) -> AsyncIterator[None]:
        """Let it play a recorded flight, by the command that a person would use."""
        environment = os.environ | {"SKYBEAT_DATA_DIR": str(self._data_dir / "demo")}
        command = [sys.executable, "-m", "console.cli", "replay", str(file), "--speed", f"{speed:g}"]
        process = await asyncio.create_subprocess_exec(*command, cwd=PROJECT, env=environment)
        try:
            yield
        finally:
            process.kill()
            await process.wait()

    def kill(self) -> None:
        """End it as a power cut would."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """End it as Ctrl-C does."""
        self._end(signal.SIGINT)

    def _end(self, number: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        ended = process.poll()
        process.send_signal(number)
        process.wait(timeout=60)
        if self._listener is not None:
            self._listener.join(timeout=60)
        assert process.stdout is not None
        process.stdout.close()
        assert ended is None, f"the demo ended by itself ({ended}):\n" + "".join(self._said)


@pytest.fixture(scope="session")
def demo() -> Iterator[RunningDemo]:
    """The demo, running; for all tests of the session."""
    yield from run_demo(unit_count=60)


@pytest.fixture
def own_demo() -> Iterator[RunningDemo]:
    """A demo of this test alone, in which nothing has happened yet."""
    yield from run_demo(unit_count=30)


def run_demo(*, unit_count: int, calls_per_minute: int = 1) -> Iterator[RunningDemo]:
    """Run a demo of so many units on a data folder of its own, by day."""
    if not (PROJECT / "console" / "static" / "index.html").exists():
        pytest.skip("THE WEB APP IS NOT BUILT: run `make web`")
    folder = Path(tempfile.mkdtemp(prefix="skybeat-e2e-"))
    folder.chmod(0o755)
    running = RunningDemo(folder, unit_count=unit_count, calls_per_minute=calls_per_minute)
    running.start()
    yield running
    running.stop()
    shutil.rmtree(folder, ignore_errors=True)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def browser() -> AsyncIterator[Browser]:
    """A headless Chromium that draws in software."""
    executable = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if executable is None:
        pytest.skip("NO CHROMIUM HERE: install Debian's chromium to run the browser's tests")
    async with async_playwright() as playwright:
        launched = await playwright.chromium.launch(executable_path=executable, args=list(CHROMIUM_FLAGS))
        yield launched
        await launched.close()


def is_foreign(url: str) -> bool:
    """Tell whether a request would leave the machine."""
    return not url.startswith(("http://127.0.0.1:", "ws://127.0.0.1:", "blob:", "data:"))


class Visit:
    """One signed-in visit: the page and all that went wrong or left the machine while it was open."""

    def __init__(self, context: BrowserContext, page: Page) -> None:
        self.context = context
        self.page = page
        self.errors: list[str] = []
        self.foreign: list[str] = []
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", lambda message: self.errors.append(message.text) if message.type == "error" else None)
        page.on("request", lambda request: self._note(request.url))

    def _note(self, url: str) -> None:
        if is_foreign(url):
            self.foreign.append(url)

    async def sign_in(self, url: str) -> None:
        """Use a one-time link and go on without a password."""
        await self.page.goto(url)
        later, refused = self.page.get_by_test_id("password-later"), self.page.get_by_test_id("sign-in-error")
        await later.or_(refused).first.wait_for()
        if await refused.is_visible():
            pytest.fail(f"the sign-in link was refused: {await refused.inner_text()}")
        await later.click()
        await self.page.get_by_test_id("unit-row").first.wait_for()

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Wait until something that happens beside the page is so; at most half a minute."""
        for _ in range(120):
            if is_so():
                return
            await asyncio.sleep(0.25)
        pytest.fail("it did not come to be so within 30 s")

    async def figure(self, expression: str) -> object:
        """Return what the page's read-only figures say."""
        value: object = await self.page.evaluate(f"() => window.__skybeat.{expression}")
        return value


@pytest_asyncio.fixture(loop_scope="module")
async def visit(browser: Browser) -> AsyncIterator[Visit]:
    """A fresh browser context in English; at the end nothing may have left the machine."""
    async for visit in _visit(browser, "en-GB"):
        yield visit


@pytest_asyncio.fixture(loop_scope="module")
async def chinese_visit(browser: Browser) -> AsyncIterator[Visit]:
    """The same in Chinese."""
    async for visit in _visit(browser, "zh-CN"):
        yield visit


async def _visit(browser: Browser, locale: str) -> AsyncIterator[Visit]:
    context = await browser.new_context(viewport={"width": 1600, "height": 900}, locale=locale)
    context.set_default_timeout(30_000)
    visit = Visit(context, await context.new_page())
    yield visit
    await context.close()
    assert visit.foreign == []
