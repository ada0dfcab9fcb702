# SPDX-License-Identifier: GPL-3.0-or-later
"""The part of the hub's HTTP interface that downloads need, and plain files."""

from __future__ import annotations

from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.responses import FileResponse, JSONResponse

from . import repository


class NotThere(Exception):
    """Answered with the code that the client turns into its own exception."""

    def __init__(self, code: str, message: str):
        super().__init__(message)
        self.code = code


def create_app(root: Path) -> FastAPI:
    """`root` has repos/OWNER/NAME/ and files/."""
    app = FastAPI(title="lab hub", docs_url=None, redoc_url=None)

    def folder(owner: str, name: str, wanted: str = "main") -> Path:
        path = (root / "repos" / owner / name).resolve()
        if not path.is_dir() or not path.is_relative_to((root / "repos").resolve()):
            raise NotThere("RepoNotFound", "Repository not found")
        if wanted not in ("main", repository.revision(path)):
            raise NotThere("RevisionNotFound", f"Invalid rev id: {wanted}")
        return path

    @app.exception_handler(NotThere)
    async def not_there(request: Request, error: NotThere):
        return JSONResponse({"error": str(error)}, 404, {"X-Error-Code": error.code, "X-Error-Message": str(error)})

    @app.get("/api/models/{owner}/{name}")
    @app.get("/api/models/{owner}/{name}/revision/{wanted}")
    def info(owner: str, name: str, wanted: str = "main"):
        path = folder(owner, name, wanted)
        return {
            "_id": "0", "id": f"{owner}/{name}", "modelId": f"{owner}/{name}", "sha": repository.revision(path), "private": False,
            "gated": False, "disabled": False, "downloads": 0, "likes": 0, "tags": [], "siblings": repository.entries(path),
        }

    @app.get("/api/models/{owner}/{name}/tree/{wanted}")
    def tree(owner: str, name: str, wanted: str):
        return repository.entries(folder(owner, name, wanted))

    @app.api_route("/{owner}/{name}/resolve/{wanted}/{file:path}", methods=["GET", "HEAD"])
    def resolve(owner: str, name: str, wanted: str, file: str):
        base = folder(owner, name, wanted)
        path = (base / file).resolve()
        if not path.is_file() or not path.is_relative_to(base):
            raise NotThere("EntryNotFound", "Entry not found")
        listed = repository.entry(path, base)
        tag = listed.get("lfs", listed)["oid"]
        headers = {"ETag": f'"{tag}"', "X-Repo-Commit": repository.revision(base), "Accept-Ranges": "bytes"}
        if "lfs" in listed:
            headers |= {"X-Linked-Size": str(listed["size"]), "X-Linked-ETag": f'"{tag}"'}
        return FileResponse(path, headers=headers, media_type="application/octet-stream")

    @app.api_route("/files/{file}", methods=["GET", "HEAD"])
    def plain(file: str):
        path = root / "files" / Path(file).name
        if not path.is_file():
            raise NotThere("EntryNotFound", "Entry not found")
        return FileResponse(path, headers={"ETag": f'"{repository.sha256(path)}"'}, media_type="application/octet-stream")

    return app
