"""Nonsense for every form and every address: nothing may fail, and nothing may change without a receipt."""
