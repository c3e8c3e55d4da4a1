"""Who may do what: accounts, sessions, policies."""
