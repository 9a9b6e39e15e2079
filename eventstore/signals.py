"""The signal by which the rest of the system hears of new events. Receivers live elsewhere."""

from django.dispatch import Signal

events_appended = Signal(use_caching=True)
"""Sent after the transaction that appended events has committed.

Arguments:
    events: the `RecordedEvent`s in the order of their positions; empty when it is a mere wake-up.
"""
