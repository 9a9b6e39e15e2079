"""The WSGI application, and what a web process does before it serves."""

import logging
import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.db import connections

from .operations.wsgi_wrapper import below, only_utf8, without_body_for_head

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bank.settings")
application = without_body_for_head(only_utf8(get_wsgi_application()))
if settings.FORCE_SCRIPT_NAME:
    application = below(settings.FORCE_SCRIPT_NAME, application)


def catch_up() -> None:
    """Project what is in the log: a process that dies between a commit and its projections leaves the read side behind.

    A failure is logged, and the process serves all the same.
    """
    if settings.PROJECTION_MODE != "inline":
        return
    from projections import engine

    try:
        engine.catch_up()
    except Exception:
        logging.getLogger(__name__).exception("The projections could not catch up at the start")
    finally:
        connections.close_all()  # this thread serves nobody
