# SPDX-License-Identifier: Apache-2.0
"""Errors over HTTP: ``{"error": {"code", "message"}}`` with the status of the error's kind."""

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as NoConnection
from starlette.exceptions import HTTPException

from inferix.errors import InferixError, Refused
from inferix.storage.service import http_status

BUSY_SECONDS = 2
NO_ROOM = ("database or disk is full", "No space left on device")  # as SQLite and PostgreSQL word it


class NotSignedIn(Refused):
    """No valid session: sign in with the wallet first."""


def install(app: FastAPI) -> None:
    """Registers the handlers."""

    @app.exception_handler(InferixError)
    async def known(request: Request, error: InferixError) -> JSONResponse:
        status = 401 if isinstance(error, NotSignedIn) else http_status(error)
        wait: int | None = getattr(error, "retry_after", None)
        return answer(status, type(error).__name__, str(error), {} if wait is None else {"Retry-After": str(wait)})

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        return answer(422, "InvalidInput", f"{where}: {first['msg']}")

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> JSONResponse:
        return answer(error.status_code, "HttpError", str(error.detail), dict(error.headers or {}))

    @app.exception_handler(OperationalError)
    @app.exception_handler(NoConnection)
    async def busy(request: Request, error: Exception) -> JSONResponse:
        if any(words in str(error) for words in NO_ROOM):
            says = "the server's disk is full and nothing of this was kept: try again later, or tell its operator"
            return answer(507, "LimitExceeded", says)
        return answer(503, "Unavailable", "the database is busy: try again", {"Retry-After": str(BUSY_SECONDS)})

    @app.exception_handler(Exception)
    async def unknown(request: Request, error: Exception) -> JSONResponse:
        return answer(500, "InternalError", "the server failed; its log says why")


def answer(status: int, code: str, message: str, headers: dict[str, str] | None = None) -> JSONResponse:
    """An error's body."""
    return JSONResponse({"error": {"code": code, "message": message}}, status, headers)
