"""A source and a sink of frames without files: what a camera or a stream has to be."""

from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from hashlib import sha256
from threading import Lock

from lifemask.ocio.media_errors import MissingFramesError, SizeError


@dataclass(eq=False)
class ArraySource:
    """Frames that are in memory, by number."""

    held: dict
    colorspace: str
    name: str = "memory"
    ahead = 3

    @property
    def frames(self):
        return tuple(sorted(self.held))

    def open(self):
        return nullcontext(self)

    def read(self, number, layers=False):
        if number not in self.held:
            raise MissingFramesError(f"{self.name}: frame {number} is missing")
        frame = self.held[number]
        identity = sha256(frame.rgb.tobytes()).hexdigest()
        return replace(frame, name=f"{self.name} {number}", identity=identity)

    def size(self):
        sizes = {frame.rgb.shape[1::-1] for frame in self.held.values()}
        if len(sizes) > 1:
            raise SizeError(f"{self.name}: frames differ in size")
        return sizes.pop()

    def pixel_aspect(self):
        return 1.0


@dataclass
class ListSink:
    """Keeps what it is given, as several threads bring it."""

    frames: list = field(default_factory=list)
    ahead: int = 4
    lock: Lock = field(default_factory=Lock)

    def write(self, frame):
        with self.lock:
            self.frames.append(frame)
