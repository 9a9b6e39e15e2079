"""The display of payloads and states in the inspector. The store does not know what their values mean."""

from collections.abc import Mapping
from functools import cache

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.utils.module_loading import import_string

from ..models import Event


class Display:
    """The display of a store without an application: names as stored, and plain numbers.

    The setting `EVENTSTORE_DISPLAY` names the application's subclass.
    """

    figures: Mapping[str, str] = {}
    """By category of streams: the name of the running figure, an entry of the state."""

    def title(self, event_type: str) -> str:
        """Return the title of a type of event."""
        return event_type

    def label(self, name: str) -> str:
        """Return the label of an entry."""
        return name

    def unit(self, name: str) -> str:
        """Return the unit of an entry, such as a currency, or the empty string."""
        return ""

    def text(self, name: str, value: object) -> str:
        """Return the value of an entry for people, without its unit."""
        is_number = isinstance(value, int) and not isinstance(value, bool) and not name.lower().endswith("id")
        return "-" if value is None else f"{value:,}" if is_number else f"{value}"

    def plain(self, name: str, value: object) -> str:
        """Return the value of an entry for programs, without its unit."""
        return "" if value is None else str(value)

    def pages(self, event: Event, user: AbstractBaseUser | AnonymousUser) -> Mapping[str, str]:
        """Return the URLs of the application's pages about an event that a user may see.

        The key is the name of an entry of the payload, or another name for a page about the event itself.
        """
        return {}

    # Common to all

    def figure_of(self, stream: str) -> str | None:
        """Return the name of a stream's running figure, or None."""
        return self.figures.get(stream.rpartition("-")[0])

    def heading(self, name: str) -> str:
        """Return the label of an entry with its unit, for a column."""
        return f"{self.label(name)} ({unit})" if (unit := self.unit(name)) else self.label(name)

    def inline(self, name: str, value: object) -> str:
        """Return the value of an entry for people, with its unit."""
        unit = "" if value is None else self.unit(name)
        return f"{self.text(name, value)} {unit}" if unit else self.text(name, value)


def display() -> Display:
    """Return the display of the settings."""
    return _display(getattr(settings, "EVENTSTORE_DISPLAY", "eventstore.admin.display.Display"))


@cache
def _display(path: str) -> Display:
    chosen: Display = import_string(path)()
    return chosen
