"""The WSGI application, and the background threads of a web process."""

import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application

from .operations.wsgi_wrapper import below, only_utf8, without_body_for_head

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bank.settings")
application = without_body_for_head(only_utf8(get_wsgi_application()))
if settings.FORCE_SCRIPT_NAME:
    application = below(settings.FORCE_SCRIPT_NAME, application)


def work_in_background() -> None:
    """Start the threads that answer open pages, and keep projections and subscriptions up to date unless workers do."""
    from .screens.live import pulse

    pulse.start()
    if settings.PROJECTION_MODE == "inline":
        from projections.workers import background

        from .application import process_managers

        background.start()
        process_managers.start_in_background()
