"""Verification of the record: reading strictly, checking streams, signed heads."""
