"""Fuzzing of every form and every URL: nothing may fail, and nothing may change without a receipt."""
