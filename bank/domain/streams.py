"""The streams of the bank's aggregates, and the base classes of the events and commands of each.

A projector and a verification rule are about the events of one aggregate. The base class tells them apart.
"""

ACCOUNT, TILL = "bank_account", "till"
"""The first part of the names of streams."""


def stream_of(account_id: int) -> str:
    """Return the name of an account's stream."""
    return f"{ACCOUNT}-{account_id}"


def stream_of_till(till_id: int) -> str:
    """Return the name of a till's stream."""
    return f"{TILL}-{till_id}"


class OfAccount:
    """Base class of an account, its events and its commands."""

    __slots__ = ()
    account_id: int

    @property
    def stream(self) -> str:
        """The name of the account's stream."""
        return f"{ACCOUNT}-{self.account_id}"


class OfTill:
    """Base class of a till, its events and its commands."""

    __slots__ = ()
    till_id: int

    @property
    def stream(self) -> str:
        """The name of the till's stream."""
        return f"{TILL}-{self.till_id}"
