"""Django's sessions in the database, loaded in plain SQL: each request of everybody loads one."""

from functools import lru_cache
from typing import Any

from django.conf import settings
from django.contrib.sessions.backends import db
from django.core import signing
from django.db import connections
from django.utils import timezone

_SESSION = "SELECT session_data FROM django_session WHERE session_key = %s AND expire_date > %s"


class SessionStore(db.SessionStore):
    def load(self) -> dict[str, Any]:
        """Return what the session of this key holds; where there is none, nothing, and forget the key."""
        connection = connections["default"]
        now = connection.ops.adapt_datetimefield_value(timezone.now())
        with connection.cursor() as cursor:
            cursor.execute(_SESSION, [self.session_key, now])
            found = cursor.fetchall()
        if not found:
            self._session_key = None
            return {}
        return self.decode(found[0][0])

    def decode(self, session_data: str | bytes) -> dict[str, Any]:
        """Return what a session's text holds, or nothing where it is not signed by us."""
        try:
            content = _signed(session_data, self.key_salt, settings.SECRET_KEY)
        except signing.BadSignature:
            return super().decode(session_data)  # which logs it
        held: dict[str, Any] = self.serializer().loads(content)
        return held


class _AsItIs:
    """A serializer that leaves alone what was signed."""

    def dumps(self, obj: Any) -> bytes:
        raise NotImplementedError

    def loads(self, data: bytes) -> bytes:
        return data


@lru_cache(maxsize=1024)
def _signed(text: Any, salt: str, key: str) -> bytes:
    """Return what was signed with a key as this text. It is kept: a session is loaded often, and seldom changes.

    Raises:
        BadSignature: it was not, which is found out anew each time.
    """
    content: bytes = signing.loads(text, key=key, salt=salt, serializer=_AsItIs)
    return content
