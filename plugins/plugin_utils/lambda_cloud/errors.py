# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What can go wrong between us and the API, told apart by what to do about it."""

from __future__ import annotations

# Code of the API to what it means for us. Anything else is "unknown".
KINDS = {
    "global/invalid-api-key": "key",
    "global/account-inactive": "account",
    "global/invalid-address": "account",
    "global/forbidden": "account",
    "global/invalid-parameters": "parameters",
    "global/object-does-not-exist": "not-found",
    "global/not-found": "not-found",
    "global/quota-exceeded": "quota",
    "global/duplicate": "conflict",
    "global/conflict": "conflict",
    "global/internal-error": "server",
    "instance-operations/launch/insufficient-capacity": "capacity",
    "instance-operations/launch/file-system-in-wrong-region": "parameters",
    "filesystems/filesystem-in-use": "conflict",
    "firewall-rulesets/firewall-ruleset-in-use": "conflict",
}
ADVICE = {
    "key": "Check LAMBDA_API_KEY, or the file that api_key_file names.",
    "account": "Look at your account on the website: e-mail, payment method, billing address.",
    "quota": "Terminate what you do not need, or ask Lambda's support for a larger quota.",
    "edge": "The network edge refused us, not your account: try again later, or from another address.",
    "rate": "Something else uses the same key: stop it, or wait.",
    "network": "Check api_url and your connection.",
    "server": "Try again later.",
}

# Kinds for which our advice says more than the API's own suggestion.
OURS = ("key", "edge", "rate", "network")


class CloudError(Exception):
    """One sentence for the user: what was tried, on what, what came back, what to do."""

    def failure(self) -> dict[str, str | int]:
        """The same for programs: what the API said, if it was the API; else nothing."""
        return self.__cause__.failure() if isinstance(self.__cause__, CloudError) else {}


class LambdaError(CloudError):
    """A call that failed; `kind` and `code` are for programs.

    `kind` is one of key, account, parameters, not-found, quota, conflict, capacity, rate, edge, server, network,
    unknown.
    `said` is the sentence without `cure`, for a sentence that ends in a cure of its own. `retry_after` is the API's
    wish, in seconds.
    """

    def __init__(self, said: str, kind: str, code: str = "", status: int = 0, cure: str = "", retry_after: float = 0.0):
        super().__init__(f"{said} {cure}".strip())
        self.said = said
        self.kind = kind
        self.code = code
        self.status = status
        self.retry_after = retry_after

    def failure(self) -> dict[str, str | int]:
        return {"kind": self.kind, "code": self.code, "status": self.status}

    @property
    def is_passing(self) -> bool:
        """Whether the same call may go well a little later: no answer, one that cannot be read, a failure inside, too
        many calls.
        """
        return self.kind in ("rate", "server", "network") or (self.kind == "unknown" and not self.code)

    @property
    def is_ambiguous(self) -> bool:
        """Whether a change may have been made although the call failed.

        Also after a 429: a gateway in front of the API says it, and may have let the call through.
        """
        return self.is_passing


def from_answer(
    what: str, status: int, body: object, text: str, secret: str = "", retry_after: float = 0.0
) -> LambdaError:
    """The error for an answer that is not a success. `body` is the parsed JSON, or None.

    `secret` is not repeated, though a server may.
    """
    error = body.get("error") if isinstance(body, dict) else None
    if not isinstance(error, dict) or not error.get("code"):
        kind = "rate" if status == 429 else "edge" if status == 403 else "server" if status >= 500 else "unknown"
        code, said, suggestion = "", " ".join(text.split())[:120] or "nothing", ""
    else:
        code, said, suggestion = (str(error.get(part) or "").strip() for part in ("code", "message", "suggestion"))
        kind = (
            "rate"
            if status == 429
            else "server"
            if status >= 500 or code.startswith("provider/")
            else KINDS.get(code, "unknown")
        )
    said = said.replace(secret, "***") if secret else said
    sentence = (
        f"{what} failed: the API answered {status}{f' {code}' if code else ''}: "
        f"{said}{'' if said.endswith(('.', '!', '?')) else '.'}"
    )
    return LambdaError(sentence, kind, code, status, _cure(kind, code, status, suggestion), retry_after)


def _cure(kind: str, code: str, status: int, suggestion: str) -> str:
    """One: ours where it names an option or who is meant, else the API's."""
    if (not code and status in (200, 404)) or code == "global/not-found":
        return (
            "What answers there is not the API, or not at this path: check api_url, "
            "which is https://cloud.lambda.ai/api/v1 for Lambda."
        )
    return ADVICE[kind] if kind in OURS else suggestion or ADVICE.get(kind, "")
