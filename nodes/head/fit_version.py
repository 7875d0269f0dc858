"""Which fit makes neutrals and coefficients of landmarks: those of another are not comparable."""

FIT_VERSION = 3
