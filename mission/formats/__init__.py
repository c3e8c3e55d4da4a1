"""Plans and programmes as other tools write and read them; everything from outside is untrusted."""
