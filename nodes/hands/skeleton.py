"""The hand's 21 landmarks: which joint each is, and the bones between them."""

COUNT = 21
WRIST = 0
INDEX, MIDDLE, RING, LITTLE = 5, 9, 13, 17
"""The knuckles."""

BONES = (
    *((0, 1), (1, 2), (2, 3), (3, 4)),
    *((0, 5), (5, 6), (6, 7), (7, 8)),
    *((0, 9), (9, 10), (10, 11), (11, 12)),
    *((0, 13), (13, 14), (14, 15), (15, 16)),
    *((0, 17), (17, 18), (18, 19), (19, 20)),
)
"""From the wrist outwards: thumb, index, middle, ring and little finger."""

PALM = (0, 1, 2, 3, 5, 6, 9, 10, 13, 14, 17, 18)
"""The landmarks that move least as the fingers bend."""
