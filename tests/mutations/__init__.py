"""Mutation testing of chosen lines: each line on which trust or money depends is changed on purpose, one at a time, and
a test of its room has to fail.

    uv run python -m tests.mutations

The list is in `rooms/`, one file for each room of the code. It is plain data; `docs/mutations.md` shows the result.
"""
