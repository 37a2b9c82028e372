"""A response that is no success, as the error of the contract that it is.

Not here: services that hide a refusal in a success; their plugins look for themselves.
"""

from __future__ import annotations

import json
import math

from .errors import Denied, Invalid, NotFound, PluginError, RateLimited, TooLong, Unauthorised, Upstream

# More of a refusal is not read.
BODY_BYTES_MAX = 64 << 10
# More of it is not shown.
MESSAGE_CHARS_MAX = 1_000
# A service that wants to be left alone for longer is not waited for.
RETRY_AFTER_MS_MAX = 86_400_000.0

ERRORS: dict[int, type[PluginError]] = {
    **dict.fromkeys((400, 405, 409, 415, 422), Invalid),
    401: Unauthorised,
    402: Denied,
    403: Denied,
    404: NotFound,
    413: TooLong,
}


def refusal(status: int, retry_after: str | None, body: str) -> PluginError:
    """The error that a status means, with the service's own sentence."""
    message = message_of(body)
    text = f"the service answered {status}: {message}" if message else f"the service answered {status}"
    if status == 429:
        return RateLimited(text, retry_after_ms(retry_after))
    return ERRORS.get(status, Upstream)(text)


def retry_after_ms(value: str | None) -> int | None:
    """In seconds; a date is not understood, as a plugin has no clock."""
    try:
        ms = float(value or "") * 1_000
    except ValueError:
        return None
    return math.ceil(ms) if 0 <= ms <= RETRY_AFTER_MS_MAX else None


def message_of(body: str) -> str:
    """The sentence in the usual places of a JSON error, else the text itself; that of a page is not worth showing."""
    text = "" if body.lstrip().startswith(("<", "{", "[")) else body
    try:
        found = json.loads(body)
    except ValueError:
        found = None
    if isinstance(found, dict):
        error = found.get("error")
        places = [error.get("message") if isinstance(error, dict) else error, found.get("message"), found.get("detail")]
        text = next((place for place in places if isinstance(place, str)), text)
    return " ".join(text.split())[:MESSAGE_CHARS_MAX]
