"""A city's folder: how it is made of an extract, read and checked, and drawn."""
