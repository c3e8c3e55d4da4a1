"""The web app's files: hashed assets for ever, index.html for every other page, nothing outside the folder."""

import asyncio
import hashlib
import mimetypes
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from fastapi import Request, Response

from console.api.contract import router
from console.auth.policy import Policy, policy

ROUTER: Final = router("site")
FOR_EVER: Final = "public, max-age=31536000, immutable"
ALWAYS_ASK: Final = "no-cache"
KEPT_BYTES: Final = 32 << 20
TYPES: Final = {
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".woff2": "font/woff2",
    ".webmanifest": "application/manifest+json",
}
NOT_BUILT: Final = b"The web app is not built: run `make web`, then reload.\n"


@dataclass(frozen=True)
class SiteFile:
    """One file in memory."""

    data: bytes
    gzip_data: bytes | None
    etag: str
    media_type: str


class Site:
    """Files of one folder, read once each and kept."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: dict[str, tuple[int, SiteFile]] = {}
        self._kept_bytes = 0

    async def file(self, name: str) -> SiteFile | None:
        """Return the file of that relative name, None when there is none."""
        path = self._path_of(name)
        return None if path is None else await asyncio.to_thread(self._load, name, path)

    def _path_of(self, name: str) -> Path | None:
        parts = PurePosixPath(name).parts
        if not parts or any(
            part in {"..", "/"} or part.startswith(".") or "\\" in part or "\0" in part for part in parts
        ):
            return None
        return self._folder.joinpath(*parts)

    def _load(self, name: str, path: Path) -> SiteFile | None:
        if not path.is_file() or not path.resolve().is_relative_to(self._folder.resolve()):
            return None
        changed_ns = path.stat().st_mtime_ns
        kept = self._files.get(name)
        if kept is not None and kept[0] == changed_ns:
            return kept[1]
        file = _read(path)
        if self._kept_bytes + len(file.data) <= KEPT_BYTES:
            self._kept_bytes += len(file.data)
            self._files[name] = (changed_ns, file)
        return file


def _read(path: Path) -> SiteFile:
    data = path.read_bytes()
    packed = path.with_name(path.name + ".gz")
    guessed = TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    return SiteFile(
        data=data,
        gzip_data=packed.read_bytes() if packed.is_file() else None,
        etag=f'"{hashlib.sha256(data).hexdigest()[:32]}"',
        media_type=guessed,
    )


@ROUTER.get("/{name:path}", include_in_schema=False)
@policy(Policy.ANYONE)
async def show_file(request: Request, name: str) -> Response:
    """Return a file of the web app; index.html for every page that the app itself knows."""
    site: Site = request.app.state.site
    if name == "ws" or name.startswith("api/") or PurePosixPath(name).suffix in {".map", ".gz"}:
        return Response(b"not found\n", 404, media_type="text/plain")
    file = await site.file(name)
    if file is not None:
        return _respond(request, file, FOR_EVER if name.startswith("assets/") else ALWAYS_ASK)
    if PurePosixPath(name).suffix:
        return Response(b"not found\n", 404, media_type="text/plain")
    index = await site.file("index.html")
    if index is None:
        return Response(NOT_BUILT, 503, media_type="text/plain")
    return _respond(request, index, ALWAYS_ASK)


def _respond(request: Request, file: SiteFile, cache: str) -> Response:
    headers = {"cache-control": cache, "etag": file.etag, "vary": "accept-encoding"}
    if request.headers.get("if-none-match") == file.etag:
        return Response(status_code=304, headers=headers)
    if file.gzip_data is not None and "gzip" in request.headers.get("accept-encoding", ""):
        return Response(file.gzip_data, 200, headers | {"content-encoding": "gzip"}, file.media_type)
    return Response(file.data, 200, headers, file.media_type)
