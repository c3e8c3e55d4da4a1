"""Which devices and units we have, where they are, how we know, and how we speak to them."""
