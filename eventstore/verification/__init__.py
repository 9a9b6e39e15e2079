"""Verification of the record: strict reading, stream checks and signed heads."""
