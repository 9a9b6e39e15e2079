"""Django's sessions in the database, read by one plain statement."""

from datetime import datetime
from typing import Any

from django.contrib.sessions.backends import db
from django.db import OperationalError, connections

from . import clock

_SESSION = "SELECT session_data FROM django_session WHERE session_key = %s AND expire_date > %s"


class SessionStore(db.SessionStore):
    """Django's own session store with a faster read, because every request of a user reads the session.

    The ORM makes the read slower (docs/performance.md). A cache beside the table (`cached_db`) would let a deleted
    session live on in other web processes.
    """

    may_be_lost = False
    """Whether only the last use has changed, so that a page can do without saving it: the next request tries again."""

    def save(self, must_create: bool = False) -> None:
        """Save the session. A page that only shows something is shown while another process locks the database."""
        try:
            super().save(must_create)
        except OperationalError:
            if not self.may_be_lost or must_create:
                raise

    def get_expiry_date(self, **kwargs: Any) -> datetime:
        """Return when the session expires, by the shared clock."""
        expires: datetime = super().get_expiry_date(**{"modification": clock.now(), **kwargs})
        return expires

    def load(self) -> dict[str, Any]:
        """Return the content of the session, or nothing, and drop the key, if it does not exist or has expired."""
        connection = connections["default"]
        now = connection.ops.adapt_datetimefield_value(clock.now())
        with connection.cursor() as cursor:
            cursor.execute(_SESSION, [self.session_key, now])
            found = cursor.fetchall()
        if not found:
            self._session_key = None
            return {}
        content: dict[str, Any] = self.decode(found[0][0])
        return content
