"""Faults of the installation, which the people who run the bank mend.

Settings must not import this module: its texts need them.
"""

from django.utils.translation import gettext_noop


class InstallationFault(Exception):
    """The installation cannot execute a command. Nothing is recorded.

    The fault is never the sender's, so it does not count as an attempt.
    """

    explanation = gettext_noop("this program is not set up with the keys that the account needs.")
    """The fault in words for a user, who can do nothing about it."""
