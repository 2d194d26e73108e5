"""The page's files: exactly those of web/dist, under a strict policy, kept by browsers as long as their names say."""

from __future__ import annotations

import gzip
import re
from typing import TYPE_CHECKING, Final

import pytest

from pipeline.api.page import DIST, assets
from pipeline.api.server import build_board
from pipeline.errors import UserError
from pipeline.settings import Settings
from tests.support.serving import visiting

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from aiohttp import ClientSession

MOST_BYTES: Final = 300_000
FILES: Final = sorted(assets())


@pytest.fixture
async def visitor() -> AsyncIterator[ClientSession]:
    async with visiting(build_board(Settings(clickhouse_url="http://127.0.0.1:9"))) as client:
        yield client


def test_the_first_view_weighs_at_most_300_kilobytes() -> None:
    sizes = {path: len(asset.packed) for path, asset in assets().items()}
    assert sum(sizes.values()) <= MOST_BYTES, sizes


@pytest.mark.parametrize("path", FILES)
async def test_each_file_comes_as_it_is_under_the_policy(visitor: ClientSession, path: str) -> None:
    response = await visitor.get(path)
    name = "index.html" if path == "/" else path[1:]
    assert await response.read() == (DIST / name).read_bytes()
    policy = response.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; ")
    assert "unsafe" not in policy
    for_good = path.startswith("/assets/")
    assert ("immutable" in response.headers["Cache-Control"]) is for_good
    assert for_good or response.headers["Cache-Control"] == "no-store" or path == "/icon.svg"
    again = await visitor.get(path, headers={"If-None-Match": response.headers["ETag"]})
    assert (again.status, await again.read()) == (304, b"")


async def test_a_browser_that_can_unpack_gets_it_packed(visitor: ClientSession) -> None:
    async with visitor.get("/", headers={"Accept-Encoding": "identity"}) as whole:
        assert "Content-Encoding" not in whole.headers
    async with visitor.get("/", headers={"Accept-Encoding": "br, gzip;q=0"}) as refused:
        assert "Content-Encoding" not in refused.headers
    async with visitor.get("/", headers={"Accept-Encoding": "gzip"}) as packed:
        assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(assets()["/"].packed) == (DIST / "index.html").read_bytes()


@pytest.mark.parametrize(
    "path", ["/index.html", "/assets/", "/assets/../index.html", "/assets/%2e%2e/%2e%2e/pyproject.toml", "/web/dist/"]
)
async def test_nothing_else_is_there(visitor: ClientSession, path: str) -> None:
    assert (await visitor.get(path)).status == 404


def test_the_page_has_nothing_inline_and_nothing_from_elsewhere() -> None:
    page = (DIST / "index.html").read_text()
    assert re.findall(r"<script[^>]*>([^<]+)</script>|<style|\son\w+=|style=", page) == []
    assert not re.search(r"https?://", page)
    assert "<noscript>" in page


def test_a_page_that_was_not_built_is_said_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="make web"):
        assets(tmp_path)
