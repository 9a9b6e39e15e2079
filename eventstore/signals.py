"""The signals of the event store. Receivers live elsewhere."""

from django.dispatch import Signal

events_appended = Signal(use_caching=True)
"""Sent after the transaction that appended events has committed.

Arguments:
    events: the `RecordedEvent`s in the order of their positions, at least one.
"""

catch_up_wanted = Signal(use_caching=True)
"""Sent when the read side may lag behind the log without a new event.

The process that appended may have died before it sent `events_appended`. Or an open transaction may have held an event
back.
"""
