"""Transfers under load: several processes send money between accounts while everything is killed and started again."""
