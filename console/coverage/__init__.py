"""Live coverage in a process of its own: the console's side, the process, what they say to each other."""
