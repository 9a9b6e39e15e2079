"""The event store. It knows streams, versions, types and JSON, and nothing of the bank."""
