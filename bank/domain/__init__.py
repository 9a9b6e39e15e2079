"""The bank's rules in plain Python: no Django, no I/O, no clock."""
