"""Open pages ask every few seconds whether what they show has changed, by a conditional request.

The ETag of a page has two parts. The first stands for the whole bank: while it is the same, nothing has changed, and
`Pulse.at_once` answers 304 from memory, in the server's loop. The second stands for what this page shows: while it is
the same, `show` answers 304 after its queries, before any template is rendered. See docs/performance.md for the cost.
"""

import hmac
import logging
import math
import re
import threading
import time
from collections.abc import Callable, Mapping
from wsgiref.handlers import format_date_time

from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import close_old_connections, connections
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.safestring import SafeString

from eventstore.errors import is_outage
from projections import freshness
from projections.receivers import leave_deleted_file

from ..access import sessions
from .languages import cached_by_language

logger = logging.getLogger(__name__)

EVERY = 0.25
"""Seconds between two looks at the bank while pages ask."""
STALE = 2 * EVERY
"""The age in seconds from which a look no longer answers. With the pages' pause it stays below three."""
FULL_CHECK = 60
"""Seconds after which a session's next request is checked in full: its user, permissions and idle time."""
_KEY = salted_hmac("bank.live", "", algorithm="sha256").digest()
TAG = re.compile(r'W/"(\w+)-(\w+)"')
SESSION = re.compile(rf"(?:^|;\s*){re.escape(settings.SESSION_COOKIE_NAME)}=([^;\s]+)")


def tag_of(fresh: freshness.Freshness, parked: object, shown: object) -> str:
    """Return the ETag of a page. `shown` is what its figures depend on, or None if they depend on every event."""
    state = state_of(fresh)
    return f'W/"{state}-{_digest(repr((fresh.behind, fresh.current, parked, shown or state)))}"'


def state_of(fresh: freshness.Freshness) -> str:
    """Return the text that changes with every change of any page. At midnight, some pages show another day."""
    return _digest(f"{fresh.log_position.token}/{fresh.behind}/{fresh.current}/{timezone.localdate()}")


def _digest(text: str) -> str:
    """Return a digest that nobody without the key can compute: an answer would confirm a guess."""
    return hmac.digest(_KEY, text.encode(), "sha256").hex()[:16]


@cached_by_language
def words() -> SafeString:
    """Return the words of a page about its updates, which are rendered once."""
    return render_to_string("bank/live.html", {"zone": settings.TIME_ZONE})


def asks(request: HttpRequest) -> bool:
    """Return whether a page asks if it has changed."""
    return sessions.POLL in request.headers and "If-None-Match" in request.headers


def is_unchanged(request: HttpRequest, tag: str) -> bool:
    """Return whether a page asks that shows what it would show now."""
    found, now = TAG.fullmatch(request.headers.get("If-None-Match", "")), TAG.fullmatch(tag)
    return asks(request) and found is not None and now is not None and found[2] == now[2]


def unchanged(tag: str) -> HttpResponse:
    """Return the answer to a page that has not changed. Its next request carries the new tag."""
    return HttpResponse(status=304, headers={"ETag": tag})


class Pulse:
    """The state of the bank a moment ago, and the sessions whose pages may ask for it.

    A thread of the web process looks at the bank, while pages ask.
    """

    def __init__(self) -> None:
        self.state, self.read_at = "", -math.inf
        self.admitted: dict[str, float] = {}
        """The keys of sessions that were checked in full, and until when that counts."""
        self._asked = threading.Event()

    def admit(self, request: HttpRequest) -> None:
        """Let the pages of a session ask. The caller has checked it in full."""
        if key := request.session.session_key:
            self.admitted[key] = time.monotonic() + min(sessions.seconds_left(request), FULL_CHECK)

    def at_once(self, method: str, headers: Mapping[str, str]) -> bytes | None:
        """Return the answer to a page that has not changed, or None if the application has to answer.

        It reads memory only, because the server's loop waits for it.

        Args:
            headers: names in capitals, with underscores.
        """
        if method != "GET" or "BANK_POLL" not in headers:
            return None
        self._asked.set()
        now = time.monotonic()
        tag = TAG.fullmatch(headers.get("IF_NONE_MATCH", ""))
        session = SESSION.search(headers.get("COOKIE", ""))
        if not tag or tag[1] != self.state or now - self.read_at > STALE:
            return None
        if not session or self.admitted.get(session[1], 0) < now:
            return None
        date = format_date_time(time.time())
        return f"HTTP/1.1 304 Not Modified\r\nCache-Control: no-store\r\nDate: {date}\r\nETag: {tag[0]}\r\n".encode()

    def start(self) -> None:
        """Start the thread. It ends with the process, at any statement."""
        threading.Thread(target=self.run, name="pulse", daemon=True).start()

    def run(self, go_on: Callable[[], bool] = lambda: True) -> None:
        """Look at the bank again and again, while pages ask."""
        while go_on():
            self._asked.wait()
            self._asked.clear()
            try:
                self.look()
                close_old_connections()
            except Exception as error:
                self.state = ""  # the application answers, and says why
                if not is_outage(error):
                    logger.exception("The state of the bank cannot be read")
                connections.close_all()
            time.sleep(EVERY)

    def look(self) -> None:
        """Read the state of the bank, and forget the sessions that have ended."""
        leave_deleted_file(self)
        moment = time.monotonic()
        known = list(self.admitted)
        open_ones = set(Session.objects.filter(session_key__in=known).values_list("session_key", flat=True))
        for key in known:
            if key not in open_ones or self.admitted[key] < moment:
                self.admitted.pop(key, None)
        self.state = state_of(freshness.look(patient=False))
        self.read_at = moment


pulse = Pulse()
"""The pulse of this web process."""
