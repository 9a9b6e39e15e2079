"""The WSGI application, the background threads of a web process, and the limit of its waits."""

import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

from eventstore.backends import backend_of

from .operations.wsgi_wrapper import below, only_utf8, without_body_for_head

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bank.settings")
application = without_body_for_head(only_utf8(get_wsgi_application()))
if settings.FORCE_SCRIPT_NAME:
    application = below(settings.FORCE_SCRIPT_NAME, application)


def limit_waits(sender: object, connection: BaseDatabaseWrapper, **kwargs: object) -> None:
    """Limit the lock waits of a new connection, because a page that only reads waits for locked tables too."""
    backend_of(connection.alias).limit_waits()


def work_in_background() -> None:
    """Start the threads that answer open pages, and keep projections and subscriptions up to date unless workers do."""
    from .screens.live import pulse

    connection_created.connect(limit_waits, dispatch_uid="bank.wsgi")
    pulse.start()
    if settings.PROJECTION_MODE == "inline":
        from projections.workers import background

        from .application import process_managers

        background.start()
        process_managers.start_in_background()
