"""Whether memory ran out, which not all libraries say by a type of error."""

_FULL = (
    "can't allocate memory",
    "not enough memory",
    "out of memory",
    "std::bad_alloc",
    "Insufficient memory",  # OpenCV's word for it
    "could not create a primitive",  # oneDNN's
)


def is_full(error: BaseException) -> bool:
    """Return whether ``error`` says that memory ran out, a graphics card's included."""
    # By name: torch, whose error that is, may not be loaded for this.
    own = isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError"
    return own or any(said in str(error) for said in _FULL)
