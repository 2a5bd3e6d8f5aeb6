"""The documentation site: it builds strictly, loads nothing from another host, and has what the commands print."""

import html
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.support.browser import in_browser, watch_page
from tests.support.docs import run_block
from tests.support.fixture_player import ROOT

pytest.importorskip("mkdocs", reason="the packages of the site are not installed; `make site` installs them")
pytestmark = pytest.mark.slow

#: What a browser fetches by itself; a link that a reader follows is not among them.
LOADING = {"script": "src", "img": "src", "iframe": "src", "source": "src", "video": "src", "object": "data"}
LOADED_LINKS = {
    "stylesheet",
    "icon",
    "preload",
    "prefetch",
    "preconnect",
    "dns-prefetch",
    "modulepreload",
    "manifest",
}
ELSEWHERE = re.compile(r"(?:https?:)?//")


def build_site(source: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    """Build the site of a checkout strictly into a folder."""
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    return subprocess.run(command, cwd=source, capture_output=True, text=True, timeout=200, check=False)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the site."""
    folder = tmp_path_factory.mktemp("site")
    done = build_site(ROOT, folder)
    assert done.returncode == 0, done.stderr
    return folder


class LoadedAddresses(HTMLParser):
    """Collects the addresses that a browser loads with a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Add the addresses of a tag."""
        values = {name: value or "" for name, value in attrs}
        if tag in LOADING:
            self.found.append(values.get(LOADING[tag], ""))
        if tag == "link" and LOADED_LINKS & set(values.get("rel", "").split()):
            self.found.append(values["href"])
        self.found += values.get("srcset", "").split()
        self.found += re.findall(r"url\(['\"]?([^'\")]+)", values.get("style", ""))


def list_loaded(path: Path) -> list[str]:
    """Return the addresses that a page or a style sheet loads."""
    text = path.read_text("utf-8")
    if path.suffix == ".css":
        return re.findall(r"url\(['\"]?([^'\")]+)", text) + re.findall(r"@import\s+['\"]([^'\"]+)", text)
    parser = LoadedAddresses()
    parser.feed(text)
    return parser.found


def test_no_file_names_another_host_to_load(site: Path) -> None:
    """Scripts, styles, pictures and fonts of every page are files of the site."""
    files = [*site.rglob("*.html"), *site.rglob("*.css")]
    loaded = {path.relative_to(site).as_posix(): list_loaded(path) for path in files}
    assert sum(map(len, loaded.values())) > 4 * len(list(site.rglob("*.html")))
    assert {
        name: found for name, all_ in loaded.items() if (found := [a for a in all_ if ELSEWHERE.match(a)])
    } == {}


@contextmanager
def serving_files(folder: Path) -> Iterator[str]:
    """Serve a folder, and return its origin."""

    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            """Print nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder))) as server:
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@in_browser
def test_no_page_requests_another_host(
    site: Path, browser: Browser, closing: Callable[[AbstractContextManager[Any]], Any]
) -> None:
    """In a browser, no page has an error or sends a request to another host, and the search finds a rule."""
    origin = closing(serving_files(site))
    page = browser.new_page()
    page.route(lambda url: not url.startswith(f"{origin}/"), lambda route: route.abort())
    problems = watch_page(page, origin)
    for path in sorted(site.rglob("index.html")):
        page.goto(f"{origin}/{path.parent.relative_to(site).as_posix()}/", wait_until="networkidle")
        assert page.locator("h1").count() == 1, path
    page.keyboard.press("/")
    page.keyboard.type("slug-unique")
    page.locator(".md-search-result__link").first.wait_for()
    assert problems == []


@pytest.mark.parametrize("command", ["mock-server proxy", "contract-tests run"])
def test_the_help_of_a_command_is_on_its_page(site: Path, command: str, tmp_path: Path) -> None:
    """The page of the commands has the help as a terminal of 80 columns shows it."""
    text = html.unescape(re.sub(r"<[^>]+>", "", (site / "reference/commands/index.html").read_text("utf-8")))
    printed = run_block(f"{command} --help", tmp_path, COLUMNS="80").stdout
    assert printed.startswith(f"Usage: {command}")
    assert printed in text


PUBLIC = [
    "mock_server.app.factory.create_app",
    "mock_server.app.options.MockOptions",
    "mock_server.testing.plugin.containers_mock",
    "mock_server.testing.plugin.ContainersMock.fail_next",
]


@pytest.mark.parametrize("name", PUBLIC)
def test_a_public_name_has_its_docstring_on_the_site(site: Path, name: str) -> None:
    """The page about Python has the name with a text."""
    page = (site / "python/index.html").read_text("utf-8")
    assert re.search(
        rf'id="{re.escape(name)}".*?<div class="doc doc-contents[^"]*">.*?<p>\w', page, re.DOTALL
    )


def test_each_schema_has_a_table_and_a_copy(site: Path) -> None:
    """The page about files links each schema, and the site has it."""
    page = (site / "reference/files/index.html").read_text("utf-8")
    for name in sorted(path.name for path in (ROOT / "spec/schemas").glob("*.json")):
        assert f'href="../{name}"' in page
        assert (site / "reference" / name).read_bytes() == (ROOT / "spec/schemas" / name).read_bytes()
    assert "<code>callers.*.token_env</code>" in page


def test_a_link_to_a_missing_file_fails_the_build(tmp_path: Path) -> None:
    """Without README.md, the build fails and names the page with the link."""
    for folder in ("docs", "spec/schemas"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    shutil.copy(ROOT / "mkdocs.yml", tmp_path)
    done = build_site(tmp_path, tmp_path / "site")
    assert done.returncode == 1
    assert "index.md links to README.md, which does not exist" in done.stderr
