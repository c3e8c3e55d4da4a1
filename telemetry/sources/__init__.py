"""One protocol is one room here: bytes in, batches and events out; no room opens a socket or reads a clock."""
