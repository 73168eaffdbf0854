# SPDX-License-Identifier: Apache-2.0
"""``python -m api``: serves the API and the pages; settings come from ``INFERIX_*`` (see ``api.settings``)."""

import logging
import sys
from typing import Any

import uvicorn
from pydantic import ValidationError

from api.app import create_app, open_context
from api.settings import ApiSettings
from inferix.errors import InferixError


def server_options(settings: ApiSettings) -> dict[str, Any]:
    """How uvicorn serves the application. Forwarded headers count from trusted proxies alone: a quota is a caller's,
    who could name itself by them otherwise."""
    return {
        "host": settings.host,
        "port": settings.port,
        "proxy_headers": bool(settings.trusted_proxies),
        "forwarded_allow_ips": settings.trusted_proxies,
        "log_level": "warning",
        "access_log": False,
        "timeout_graceful_shutdown": 3,  # streams of events have no end of their own
    }


def main() -> int:
    """Runs until it is told to stop; 2 when it cannot start."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    try:
        settings = ApiSettings()
        app = create_app(open_context(settings))
    except InferixError as error:
        print(f"the API cannot start: {error}", file=sys.stderr)
        return 2
    except ValidationError as error:
        first = error.errors()[0]
        print(f"the API cannot start: INFERIX_{str(first['loc'][0]).upper()}: {first['msg']}", file=sys.stderr)
        return 2
    uvicorn.run(app, **server_options(settings))
    return 0


if __name__ == "__main__":
    sys.exit(main())
