"""A bank on several servers, under load, of which every part is killed in turn: `uv run python -m tests.cluster`."""
