"""The live picture: what is newest of every device and unit, which device speaks for its unit, and what each said of itself."""
