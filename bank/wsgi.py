"""The web process."""

import logging
import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.db import connections

from .wire import only_utf8

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bank.settings")
application = only_utf8(get_wsgi_application())

if settings.PROJECTION_MODE == "inline":
    # A process that was killed between a commit and its projections leaves the read side behind.
    from projections import engine

    try:
        engine.catch_up()
    except Exception:
        logging.getLogger(__name__).exception("The projections could not catch up at the start")
    finally:
        connections.close_all()  # this thread serves nobody
