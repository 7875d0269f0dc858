"""Recognise out-of-memory errors, for which some libraries have no type of their own."""

_FULL = (
    "can't allocate memory",
    "not enough memory",
    "out of memory",
    "std::bad_alloc",
    "Insufficient memory",  # OpenCV's
    "could not create a primitive",  # oneDNN's
)


def is_full(error: BaseException) -> bool:
    """Return whether ``error`` means that memory ran out, a graphics card's included."""
    # By name, so that torch is not loaded for it.
    own = isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError"
    return own or any(said in str(error) for said in _FULL)
