"""Mutation testing of chosen lines: each line behind a promise is broken on purpose, and a test must fail.

uv run python -m tests.mutations

The list is in `rooms/`, one file for each room of the code. It is plain data; `docs/mutations.md` shows the result.
"""
