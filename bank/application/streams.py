"""The names of accounts' streams."""

CATEGORY = "bank_account"


def stream_of(account_id: int) -> str:
    """Return the name of an account's stream."""
    return f"{CATEGORY}-{account_id}"
