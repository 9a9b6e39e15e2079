"""The check of this process's clock before each command, because a wrong clock would date events wrongly."""

from django.conf import settings
from django.utils.translation import gettext_noop

from eventstore import shared_clock
from eventstore.backends import backend_of

from ..operations.installation import InstallationFault


class ClockIsOff(InstallationFault):
    """The clock of this process differs by more than `BANK_CLOCK_LIMIT` from the shared one."""

    explanation = gettext_noop("the clock of this server is wrong.")


def check() -> None:
    """Compare this process's clock with the shared one; see `eventstore.shared_clock`.

    Raises:
        ClockIsOff
    """
    ahead = shared_clock.ahead()
    if abs(ahead) > settings.BANK_CLOCK_LIMIT:
        other = "the database's" if backend_of().server_time() else "the time of the last event"
        raise ClockIsOff(
            f"The clock of this server is {abs(ahead):,.0f} seconds {'ahead of' if ahead > 0 else 'behind'} {other}. "
            "Set the clock, or raise BANK_CLOCK_LIMIT where the last event has the wrong time."
        )
