"""The projection worker, its leases, and replay."""
