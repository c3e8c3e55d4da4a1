"""Who flies a sortie and how it goes: the first responder chosen, what stands in the way, what a drone tells on its way."""
