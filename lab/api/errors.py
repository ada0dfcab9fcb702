# SPDX-License-Identifier: GPL-3.0-or-later
"""Error codes of the API with their status, message and suggestion."""

from __future__ import annotations

LAUNCH = "instance-operations/launch/"
CAPACITY = LAUNCH + "insufficient-capacity"
DEFAULTS = {
    "global/invalid-api-key": (
        401,
        "API key was invalid, expired, or deleted.",
        "Check your API key or create a new one, then try again.",
    ),
    "global/account-inactive": (403, "Your account is inactive.", "Verify your email address and your payment method."),
    "global/forbidden": (403, "You do not have permission to do this.", None),
    "global/invalid-address": (403, "Your billing address is invalid.", "Correct your billing address."),
    "global/not-found": (404, "The requested resource was not found.", None),
    "global/object-does-not-exist": (404, "Object does not exist.", "Check its name or ID, and try again."),
    "global/invalid-parameters": (400, "Invalid request data.", None),
    "global/quota-exceeded": (400, "Quota exceeded.", "Contact Support to increase your quota."),
    "global/duplicate": (400, "Duplicate.", None),
    "global/conflict": (409, "The request conflicts with the current state of the resource.", None),
    "global/internal-error": (
        500,
        "An internal error occurred.",
        "Try again later. If problems continue, contact Support.",
    ),
    CAPACITY: (
        400,
        "Not enough capacity to fulfill launch request.",
        "Choose an instance type with more availability, or try again later.",
    ),
    LAUNCH + "file-system-in-wrong-region": (400, "The filesystem is in another region than the instance.", None),
    "filesystems/filesystem-in-use": (
        400,
        "The filesystem is in use.",
        "Terminate the instances that it is attached to.",
    ),
    "firewall-rulesets/firewall-ruleset-in-use": (
        400,
        "The firewall ruleset is in use.",
        "Terminate the instances that use it.",
    ),
    "provider/internal-unavailable": (503, "Provider unavailable", "Try again shortly"),
}


class ApiError(Exception):
    """Answered as {"error": {"code", "message", "suggestion"?}}.

    A code that is not documented is a 400, unless told otherwise.
    """

    def __init__(self, code: str, message: str | None = None, status: int | None = None):
        usual_status, usual_message, self.suggestion = DEFAULTS.get(code, (400, "The request was refused.", None))
        self.code = code
        self.status = status or usual_status
        self.message = message or usual_message
        super().__init__(f"{code}: {self.message}")

    def body(self) -> dict:
        """The envelope."""
        error = {"code": self.code, "message": self.message}
        if self.suggestion:
            error["suggestion"] = self.suggestion
        return {"error": error}
