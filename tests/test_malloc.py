"""Threads share memory, so that what one frees another can use."""

import subprocess
import sys

PROGRAM = """
import ctypes, os, tempfile, threading
from lifemask.plugin.worker.malloc import share_memory
if {shared}:
    assert share_memory()
held, there = [], threading.Barrier(9)
libc = ctypes.CDLL(None)
libc.malloc.restype, libc.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]

def work():
    held.append(libc.malloc(50_000))
    there.wait()

threads = [threading.Thread(target=work) for _ in range(8)]
for thread in threads:
    thread.start()
there.wait()
libc.fopen.restype, libc.fopen.argtypes = ctypes.c_void_p, [ctypes.c_char_p, ctypes.c_char_p]
libc.malloc_info.argtypes, libc.fclose.argtypes = [ctypes.c_int, ctypes.c_void_p], [ctypes.c_void_p]
name = tempfile.mktemp()
file = libc.fopen(name.encode(), b"w")
libc.malloc_info(0, file)
libc.fclose(file)
print(open(name).read().count("<heap nr="))
os.unlink(name)
"""


def arenas(shared):
    words = [sys.executable, "-c", PROGRAM.format(shared=shared)]
    return int(subprocess.run(words, capture_output=True, text=True, check=True).stdout)


def test_threads_share_the_arenas_that_they_are_told_to():
    assert arenas(shared=True) <= 2 < arenas(shared=False)
