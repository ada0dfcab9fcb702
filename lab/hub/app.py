# SPDX-License-Identifier: GPL-3.0-or-later
"""The part of the hub's HTTP interface that downloads need, and plain files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import FileResponse, JSONResponse

from . import repository
from .wire import Wire

BINARY = "application/octet-stream"


class NotThere(Exception):
    """Answered with the code that the client turns into its own exception."""

    def __init__(self, code: str, message: str):
        super().__init__(message)
        self.code = code


class Hub:
    """What is answered of a folder with repos/OWNER/NAME/ and files/."""

    def __init__(self, root: Path):
        self.root = root

    def info(self, owner: str, name: str, wanted: str = "main") -> dict[str, Any]:
        """What a repository is at a revision, and its files."""
        path = self._folder(owner, name, wanted)
        return {
            "_id": "0",
            "id": f"{owner}/{name}",
            "modelId": f"{owner}/{name}",
            "sha": repository.revision(path),
            "private": False,
            "gated": False,
            "disabled": False,
            "downloads": 0,
            "likes": 0,
            "tags": [],
            "siblings": repository.entries(path),
        }

    def tree(self, owner: str, name: str, wanted: str) -> list[dict[str, Any]]:
        """Its files."""
        return repository.entries(self._folder(owner, name, wanted))

    def resolve(self, owner: str, name: str, wanted: str, file: str) -> FileResponse:
        """The content of one file."""
        base = self._folder(owner, name, wanted)
        path = (base / file).resolve()
        if not path.is_file() or not path.is_relative_to(base):
            raise NotThere("EntryNotFound", "Entry not found")
        listed = repository.entry(path, base)
        tag = listed.get("lfs", listed)["oid"]
        headers = {"ETag": f'"{tag}"', "X-Repo-Commit": repository.revision(base), "Accept-Ranges": "bytes"}
        if "lfs" in listed:
            headers |= {"X-Linked-Size": str(listed["size"]), "X-Linked-ETag": f'"{tag}"'}
        return FileResponse(path, headers=headers, media_type=BINARY)

    def plain(self, file: str) -> FileResponse:
        """A file that belongs to no repository."""
        path = self.root / "files" / Path(file).name
        if not path.is_file():
            raise NotThere("EntryNotFound", "Entry not found")
        return FileResponse(path, headers={"ETag": f'"{repository.sha256(path)}"'}, media_type=BINARY)

    def _folder(self, owner: str, name: str, wanted: str) -> Path:
        repositories = (self.root / "repos").resolve()
        path = (repositories / owner / name).resolve()
        if not path.is_dir() or not path.is_relative_to(repositories):
            raise NotThere("RepoNotFound", "Repository not found")
        if wanted not in ("main", repository.revision(path)):
            raise NotThere("RevisionNotFound", f"Invalid rev id: {wanted}")
        return path


def create_app(root: Path) -> Wire:
    """`root` has repos/OWNER/NAME/ and files/. What goes out is counted, see wire.py."""
    hub, app = Hub(root), FastAPI(title="lab hub", docs_url=None, redoc_url=None)
    for path, answer, methods in (
        ("/api/models/{owner}/{name}", hub.info, ["GET"]),
        ("/api/models/{owner}/{name}/revision/{wanted}", hub.info, ["GET"]),
        ("/api/models/{owner}/{name}/tree/{wanted}", hub.tree, ["GET"]),
        ("/{owner}/{name}/resolve/{wanted}/{file:path}", hub.resolve, ["GET", "HEAD"]),
        ("/files/{file}", hub.plain, ["GET", "HEAD"]),
    ):
        app.add_api_route(path, answer, methods=methods, response_model=None)

    @app.exception_handler(NotThere)
    async def not_there(request: Request, error: NotThere) -> JSONResponse:
        return JSONResponse({"error": str(error)}, 404, {"X-Error-Code": error.code, "X-Error-Message": str(error)})

    return Wire(app)
