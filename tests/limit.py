"""How long tests wait for what has to come: against hanging alone, on the slowest machine."""

LONG = 1800.0  # seconds
