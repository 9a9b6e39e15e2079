"""Between the screens and the domain: handlers, the repository of accounts, PIN verifiers."""
