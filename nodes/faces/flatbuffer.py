"""Tables of a flatbuffer, read where they lie (https://flatbuffers.dev/internals).

Only what a .tflite file needs: numbers, vectors, tables and strings, by the position of the field
in its schema.
"""

import struct
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Table:
    """One table: ``slot`` numbers its fields in the order of the schema."""

    def __init__(self, data: bytes, at: int) -> None:
        self._data, self._at = data, at
        self._offsets = at - self._unpack("<i", at)
        self._slots = (self._unpack("<H", self._offsets) - 4) // 2

    @classmethod
    def root(cls, data: bytes) -> "Table":
        """Return the table that the whole buffer holds."""
        return cls(data, struct.unpack_from("<I", data)[0])

    def number(self, slot: int, kind: str = "i", default: int = 0) -> int:
        """Return an integer; ``kind`` is its letter in the struct module."""
        at = self._field(slot)
        return self._unpack(f"<{kind}", at) if at else default

    def table(self, slot: int) -> "Table | None":
        """Return the table that a field points to, None where it is not set."""
        at = self._field(slot)
        return Table(self._data, self._follow(at)) if at else None

    def tables(self, slot: int) -> "list[Table]":
        """Return a vector of tables."""
        at = self._field(slot)
        if not at:
            return []
        start = self._follow(at)
        count = self._unpack("<I", start)
        return [Table(self._data, self._follow(start + 4 + 4 * i)) for i in range(count)]

    def vector(self, slot: int, kind: str) -> "NDArray[Any]":
        """Return a vector of numbers of the NumPy type ``kind``; empty where it is not set."""
        import numpy as np

        at = self._field(slot)
        if not at:
            return np.zeros(0, kind)
        start = self._follow(at)
        return np.frombuffer(self._data, kind, self._unpack("<I", start), start + 4)

    def integers(self, slot: int) -> list[int]:
        """Return a vector of 32-bit integers."""
        return [int(value) for value in self.vector(slot, "<i4")]

    def _field(self, slot: int) -> int:
        """Return where a field lies, 0 where it is not set."""
        if slot >= self._slots:
            return 0
        offset = self._unpack("<H", self._offsets + 4 + 2 * slot)
        return self._at + offset if offset else 0

    def _follow(self, at: int) -> int:
        return at + self._unpack("<I", at)

    def _unpack(self, kind: str, at: int) -> int:
        return int(struct.unpack_from(kind, self._data, at)[0])
