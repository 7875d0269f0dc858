"""How a swap is scored against the exact render of the perfect swap."""
