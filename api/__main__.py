# SPDX-License-Identifier: Apache-2.0
"""``python -m api``: serves the API and the pages; settings come from ``INFERIX_*`` (see ``api.settings``)."""

import logging
import sys

import uvicorn
from pydantic import ValidationError

from api.app import create_app, open_context
from api.settings import ApiSettings
from inferix.errors import InferixError


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
    uvicorn.run(
        app,
        host=settings.host,
        port=settings.port,
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=3,  # streams of events have no end of their own
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
