"""Verification of the read side: a second computation of its figures from the events."""
