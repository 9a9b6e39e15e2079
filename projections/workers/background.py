"""The background thread of a web process if `PROJECTION_MODE=inline`. It applies the events that no request applies.

These are the events of a projection that is far behind, events that an open transaction held back, events of a process
that died after its commit, and parked events.
"""

import logging
import threading
import time
from collections.abc import Callable

from django.db import connections

from eventstore import positions
from eventstore.errors import is_outage

from .. import engine
from ..freshness import standing_of
from ..receivers import leave_deleted_file
from ..replicas import READ_SIDE
from . import resume

logger = logging.getLogger(__name__)

POLL = 1.0
"""Seconds between two polls of the log."""
REST = 5.0
"""Seconds until the next poll after a projection has failed or a database did not answer."""
PAUSE = 0.01
"""Seconds between two batches, in which requests can use the read side."""


def start() -> None:
    """Start the thread. It ends with the process, at any statement."""
    threading.Thread(target=run, name="projections", daemon=True).start()


def run(go_on: Callable[[], bool] = lambda: True) -> None:
    """Keep all projections caught up.

    Args:
        go_on: called before each poll; False ends the work.
    """
    resume_at = 0.0
    while go_on():
        rest = POLL
        try:
            leave_deleted_file(run)
            if time.monotonic() >= resume_at:
                resume.resume()
                resume_at = time.monotonic() + resume.EVERY
            if standing_of(READ_SIDE).log_position < positions.last_log_position():
                engine.catch_up(go_on=_after_a_pause)
            if standing_of(READ_SIDE).failed:
                rest = REST
        except Exception as error:
            if is_outage(error):
                logger.warning("The background cannot catch up: %s", str(error).partition("\n")[0])
            else:
                logger.exception("The background cannot catch up")
            connections.close_all()
            rest = REST
        time.sleep(rest)


def _after_a_pause() -> bool:
    time.sleep(PAUSE)
    return True
