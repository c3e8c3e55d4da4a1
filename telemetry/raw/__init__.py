"""The raw log: every received byte as it came, and decoding it again with today's decoders."""
