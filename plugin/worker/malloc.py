"""How the C library keeps memory: threads share it, so that it does not grow with the frames."""

import ctypes

_ARENA_MAX = -8  # M_ARENA_MAX in glibc's malloc.h
_ARENAS = 2


def share_memory() -> bool:
    """Let all threads of this process share two arenas; return whether the C library can.

    glibc gives every thread an arena of its own, which keeps what the thread frees: a swap of 180
    frames so held 960 MiB instead of 620. To be called before threads are started.
    """
    try:
        return bool(ctypes.CDLL(None).mallopt(_ARENA_MAX, _ARENAS))
    except (AttributeError, OSError, TypeError):
        return False
