"""The refiner: the network that finishes a rendered face."""
