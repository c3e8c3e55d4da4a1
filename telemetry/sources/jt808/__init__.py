"""JT/T 808, the protocol of Chinese vehicle terminals: bytes of one peer in; positions, events and answers out."""
