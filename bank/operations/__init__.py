"""Operation of the bank: start, health checks, backup, verification, keys, roles and demonstration data."""
