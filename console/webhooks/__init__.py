"""Changes of incidents told to other programs: outbox, signatures, the post."""
