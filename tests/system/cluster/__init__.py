"""A bank on several servers under load; each part is killed in turn: `uv run python -m tests.system.cluster`."""
