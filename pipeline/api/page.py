"""The board's page: the files of web/dist and nothing else, each with its type, tag and policy.

They hold no data: whoever may not read sees a page that asks for a token. Names of assets carry a hash of their
content, so a browser keeps them for good; the page itself is asked for every time.
"""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from starlette.responses import Response

from pipeline.api.packing import takes_gzip
from pipeline.errors import UserError

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request

DIST: Final = Path(__file__).resolve().parents[2] / "web" / "dist"
INDEX: Final = "index.html"
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_TYPES: Final = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
}
_FOR_GOOD: Final = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class Asset:
    """One file as it is sent."""

    content: bytes
    packed: bytes
    kind: str
    tag: str
    keep: str

    @classmethod
    def of(cls, path: Path, *, hashed: bool) -> Asset:
        """Return a file, read once; what has a hash in its name may be kept for good."""
        content = path.read_bytes()
        packed = gzip.compress(content, 9, mtime=0)
        tag = f'"{hashlib.blake2b(content, digest_size=12).hexdigest()}"'
        return cls(content, packed, _TYPES[path.suffix], tag, _FOR_GOOD if hashed else "no-store")

    async def answer(self, request: Request) -> Response:
        """Answer the file, packed where the browser can unpack it, or that it has it already."""
        headers = {"ETag": self.tag, "Cache-Control": self.keep, "Content-Security-Policy": POLICY}
        headers["Vary"] = "Accept-Encoding"
        if self.tag in request.headers.get("if-none-match", ""):
            return Response(None, 304, headers)
        if takes_gzip(request.headers.get("accept-encoding", "")):
            headers["Content-Encoding"] = "gzip"
            return Response(self.packed, 200, headers, self.kind)
        return Response(self.content, 200, headers, self.kind)


def assets(dist: Path = DIST) -> dict[str, Asset]:
    """Return the page's files by their paths in addresses; the page itself stands under ``/``.

    Raises:
        UserError: they are not there.
    """
    if not (dist / INDEX).is_file():
        raise UserError(f"the board's page is not there ({dist / INDEX})", "restore web/dist, or make it: make web")
    found = {"/": Asset.of(dist / INDEX, hashed=False)}
    for path in sorted(dist.rglob("*")):
        if path.suffix in _TYPES and path.name != INDEX:
            place = path.relative_to(dist)
            found[f"/{place.as_posix()}"] = Asset.of(path, hashed=place.parts[0] == "assets")
    return found


def add_page(app: Starlette, dist: Path = DIST) -> None:
    """Have the application answer the page and its assets, each under its exact name.

    Raises:
        UserError: they are not there.
    """
    for path, asset in assets(dist).items():
        app.add_route(path, asset.answer, methods=["GET", "HEAD"])
