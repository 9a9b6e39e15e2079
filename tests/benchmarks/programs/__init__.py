"""The contenders as separate programs that read orders from standard input; see `protocol.py`."""
