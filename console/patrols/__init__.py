"""Patrols: what they are asked for, the plans made of it, and who flies them."""
