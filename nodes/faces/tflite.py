"""The face and hand networks: .tflite files, which LiteRT runs on the processor."""

import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from tempfile import TemporaryFile
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from lifemask.nodes.device import threads
from lifemask.nodes.errors import SystemRefusalError
from lifemask.nodes.faces import weights

if TYPE_CHECKING:
    from ai_edge_litert.interpreter import Interpreter
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]


class Network:
    """The network of one file.

    Each row of a batch is computed alone and on one thread: neither the batch nor the number of
    cores changes a bit of the result.
    """

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._own = threading.local()

    def __call__(self, batch: Tensor) -> list[Tensor]:
        """Return the outputs (N, ...) in the file's order, without axes of length 1.

        ``batch`` (N, ...) is float32, pictures NHWC.
        """
        rows = batch.numpy()
        each = map if len(rows) == 1 or threads() == 1 else _pool(threads()).map
        outputs = zip(*each(self._run, rows), strict=True)
        return [torch.from_numpy(np.stack(rows)) for rows in outputs]

    def _run(self, row: "Floats") -> "list[Floats]":
        interpreter = self._interpreter()
        interpreter.set_tensor(interpreter.get_input_details()[0]["index"], row[None])
        interpreter.invoke()
        outputs = interpreter.get_output_details()
        return [interpreter.get_tensor(output["index"]).squeeze() for output in outputs]

    def _interpreter(self) -> "Interpreter":
        """Return the interpreter of this thread: two must not share one."""
        if not hasattr(self._own, "interpreter"):
            self._own.interpreter = _interpreter(self._data)
        interpreter: Interpreter = self._own.interpreter
        return interpreter


def load(name: str) -> Network:
    """Return the network of a shipped file."""
    return Network(weights.read(name))


@cache
def _pool(count: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(count, "faces")


if hasattr(os, "register_at_fork"):
    # A forked process has none of its parent's threads.
    os.register_at_fork(after_in_child=_pool.cache_clear)


def _interpreter(data: bytes) -> "Interpreter":
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError as error:
        raise SystemRefusalError(
            f"the face networks need ai-edge-litert, which cannot be loaded ({error}); there are "
            "builds for Linux, Windows and Macs with Apple's processor, and Python 3.11 to 3.13"
        ) from error
    with _without_notes():
        interpreter = Interpreter(model_content=data, num_threads=1)
        interpreter.allocate_tensors()
    return interpreter


_quiet = threading.Lock()


@contextmanager
def _without_notes() -> Iterator[None]:
    """Discard the notes that LiteRT prints on standard error; pass on everything else."""
    with _quiet, TemporaryFile() as printed:
        real = os.dup(2)
        os.dup2(printed.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(real, 2)
            printed.seek(0)
            for line in printed:
                if not line.startswith(b"INFO: "):
                    os.write(real, line)
            os.close(real)
