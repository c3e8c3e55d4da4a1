"""Flying by people: control, orders to drones, the engine that carries them out, and what is told of them."""
