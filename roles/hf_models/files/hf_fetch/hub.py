# SPDX-License-Identifier: GPL-3.0-or-later
"""The hub: one try at a time. What may be tried again is told apart from what may not, with the hub's own pause."""

import os

from .words import Failure, first_line

# Bars are no lines of a log.
os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")

LASTING = {
    "RepositoryNotFoundError": "the hub does not know this model, or the token may not read it; "
    "check the name and HF_TOKEN",
    "GatedRepoError": "access to this model must be granted first; accept its terms on the hub and set HF_TOKEN",
    "RevisionNotFoundError": "the model has no such revision; check the commit",
    "RemoteEntryNotFoundError": "the hub lists a file that it does not have; check the commit",
    "DisabledRepoError": "the hub has disabled this model; choose another",
    "HFValidationError": "this is no name of a model; it is written owner/name",
}
BUSY = (429, 500, 502, 503, 504)
LONGEST_PAUSE = 120  # seconds


class Again(Exception):
    """What another try may mend; `pause` is the hub's own word in seconds, or None."""

    def __init__(self, text, pause=None):
        super().__init__(text)
        self.pause = pause


def listing(repository, revision):
    """Name to size, sha256 (large files) and git's name."""
    from huggingface_hub import HfApi

    with _told(repository, revision):
        return entries(HfApi().model_info(repository, revision=revision, files_metadata=True))


def entries(info):
    """What the hub says of the files; a name that leads out of the folder is refused."""
    found = {}
    for entry in info.siblings:
        name = entry.rfilename
        if name.startswith("/") or ".." in name.split("/"):
            raise Failure(f"The hub lists a file named {name!r}, which would lie outside of the model's folder.")
        found[name] = {
            "size": entry.size or 0,
            "sha256": entry.lfs.sha256 if entry.lfs else None,
            "git": entry.blob_id,
        }
    return found


def fetch(repository, revision, name, folder):
    """One file into a folder of partial files; goes on where an earlier try ended if the client can."""
    from huggingface_hub import hf_hub_download

    with _told(repository, revision, name):
        hf_hub_download(repository, name, revision=revision, local_dir=folder)


def client():
    """The client's HTTP, which hands busy answers to us: its own pauses know nothing of Retry-After or of peers."""
    from huggingface_hub.utils._http import default_client_factory

    made = default_client_factory()
    made.event_hooks = {**made.event_hooks, "response": [*made.event_hooks.get("response", []), refuse]}
    return made


def refuse(response):
    """Raises Again for an answer that asks for patience."""
    if response.status_code in BUSY:
        value = response.headers.get("Retry-After", "")
        pause = min(int(value), LONGEST_PAUSE) if value.isdigit() else None
        raise Again(f"it answered {response.status_code}", pause)


def begin():
    """Before the first request."""
    from huggingface_hub import set_client_factory

    set_client_factory(client)


class _told:
    """Turns the client's exceptions into Failure or Again."""

    def __init__(self, repository, revision, name=""):
        where = os.environ.get("HF_ENDPOINT", "the hub")
        self.text = f"Fetching {name + ' of ' if name else ''}{repository} at {revision} from {where} failed"

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if not isinstance(error, Exception) or isinstance(error, Failure):
            return False
        chain = list(causes(error))
        busy = next((one for one in chain if isinstance(one, Again)), None)
        if busy:
            raise Again(f"{self.text}: {busy}", busy.pause) from None
        for one in chain:
            if advice := LASTING.get(type(one).__name__):
                raise Failure(f"{self.text}: {advice}.") from None
        answers = [one.response for one in chain if getattr(one, "response", None) is not None]
        status = answers[-1].status_code if answers else None
        if status in (401, 403):
            raise Failure(f"{self.text}: it answered {status}; check HF_TOKEN and what it may read.") from None
        if status in (404, 410):
            # A hub says which of the three is missing; this is somebody else's answer.
            raise Failure(f"{self.text}: it answered {status}; check the address, or the proxy before it.") from None
        if isinstance(error, OSError) and error.errno in (13, 28, 30, 122):  # access, space, read-only, quota
            raise Failure(f"{self.text}: {first_line(error)}.") from None
        said = f"it answered {status}" if status else first_line(chain[-1])
        raise Again(f"{self.text}: {said}") from None


def causes(error):
    """An exception and what it came from."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


class Pace:
    """When the hub may be asked again: after its own word, else after pauses that double."""

    def __init__(self, first=2):
        self.first, self.pause, self.until, self.said = first, first, 0, ""

    def may(self, now):
        """Whether a request may go out."""
        return now >= self.until

    def failed(self, now, error):
        """Several files may fail at once: that is one failure, and one pause."""
        self.said = str(error)
        wait = error.pause if error.pause is not None else self.pause
        if now + wait <= self.until + 1 or (error.pause is None and now < self.until):
            return 0
        self.until = max(self.until, now + wait)
        self.pause = min(self.pause * 2, LONGEST_PAUSE)
        return wait

    def went_well(self):
        """The next failure is the first again."""
        self.pause = self.first
