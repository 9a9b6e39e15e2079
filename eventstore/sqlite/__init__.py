"""Django's SQLite backend with safe checkpoints and lock retries."""
