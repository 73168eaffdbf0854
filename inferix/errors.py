# SPDX-License-Identifier: Apache-2.0
"""What can go wrong, by what the caller can do about it.

    InferixError
      + InvalidInput      the value is wrong: correct it and call again
      + NotFound          no such thing here: check the name, or ask where it is kept
      + Refused           the caller may not do this, or not yet: the message names the right or the moment
      + Conflict          the thing has moved on meanwhile: read it again, then decide
      + LimitExceeded     too much, too large, or no room: ask for less, or free some
      + Unavailable       the other side does not answer now: try again later (see retry_after)
      + Corrupt           data contradicts its hash, signature or format: fetch it elsewhere, never use it
      + Misconfigured     a setting is missing or wrong: the operator corrects it and starts again

Each room subclasses these kinds for its own errors (``class BlockMissing(StorageError, NotFound)``), so a program can
answer by kind (an HTTP status, a retry, an exit code) without knowing the room. A message says what happened and what
to do; it never holds a secret.
"""


class InferixError(Exception):
    """Root of every error that this project raises on purpose."""


class InvalidInput(InferixError, ValueError):
    """The value is wrong and stays wrong: correct it and call again."""


class NotFound(InferixError):
    """The named thing is not here."""


class Refused(InferixError):
    """The caller has no right to this, or it is not the time for it."""


class Conflict(InferixError):
    """The state has changed since the caller read it."""


class LimitExceeded(InferixError):
    """A quota, a size limit or the room on a disk would be exceeded."""


class Unavailable(InferixError):
    """Another program or machine does not answer, or asks us to wait.

    ``retry_after``: seconds until a new attempt makes sense, or None when nobody knows.
    """

    def __init__(self, message: str, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Corrupt(InferixError):
    """Data contradicts its hash, its signature or its format."""


class Misconfigured(InferixError):
    """A setting is missing, malformed or contradicts another one."""
