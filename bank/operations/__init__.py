"""What operators need: start, health, backup, verification of the bank, keys, roles, demonstration data."""
