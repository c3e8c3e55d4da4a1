"""Recording: what was taken goes to the journal, and from the journal to the database, each row exactly once."""
