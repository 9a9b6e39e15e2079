"""The contenders, each as a program of its own that takes orders on its standard input; see `protocol.py`."""
