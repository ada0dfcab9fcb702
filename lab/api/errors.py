# SPDX-License-Identifier: GPL-3.0-or-later
"""Error codes of the API with their status, message and suggestion."""

from __future__ import annotations

LAUNCH = "instance-operations/launch/"
DEFAULTS = {
    "global/invalid-api-key": (401, "API key was invalid, expired, or deleted.", "Check your API key or create a new one, then try again."),
    "global/account-inactive": (403, "Your account is inactive.", "Make sure you have verified your email address and have a valid payment method. Contact Support if problems continue."),
    "global/not-found": (404, "The requested resource was not found.", None),
    "global/object-does-not-exist": (404, "Object does not exist.", None),
    "global/invalid-parameters": (400, "Invalid request data.", None),
    "global/quota-exceeded": (400, "Quota exceeded.", "Contact Support to increase your quota."),
    "global/duplicate": (400, "Duplicate.", None),
    "global/conflict": (409, "The request conflicts with the current state of the resource.", None),
    "global/internal-error": (500, "An internal error occurred.", "If problems continue, contact Support."),
    LAUNCH + "insufficient-capacity": (400, "Not enough capacity to fulfill launch request.", "Choose an instance type with more availability, or try again later."),
    LAUNCH + "file-system-in-wrong-region": (400, "The filesystem is in another region than the instance.", None),
    "filesystems/filesystem-in-use": (400, "The filesystem is in use.", "Terminate the instances that it is attached to."),
}


class ApiError(Exception):
    """Answered as {"error": {"code", "message", "suggestion"?}}."""

    def __init__(self, code: str, message: str | None = None, status: int | None = None):
        usual_status, usual_message, self.suggestion = DEFAULTS[code]
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
