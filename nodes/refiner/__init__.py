"""The refiner: the network that finishes what the renderer made."""
