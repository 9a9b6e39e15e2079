"""Verification of the read side: its figures against a second way of adding up the events."""
