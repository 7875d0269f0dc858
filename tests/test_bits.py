"""Both shots of the demo and a short training, to the bit: a change of code is no change of pixels.

A change that is meant to move pixels records the digests anew:
``python tests/test_bits.py`` writes golden/bits.json.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

HERE = Path(__file__).parent
GOLDEN = HERE / "golden/bits.json"
FIXED = {
    "ATEN_CPU_CAPABILITY": "avx2",
    "DNNL_MAX_CPU_ISA": "AVX2",
    "MKL_CBWR": "AVX2",
    "OPENBLAS_CORETYPE": "Haswell",
    "NPY_DISABLE_CPU_FEATURES": "AVX512F AVX512CD AVX512_SKX",
    "OPENCV_CPU_DISABLE": "AVX512-SKX",
    "OMP_NUM_THREADS": "1",
    "CUDA_VISIBLE_DEVICES": "",
}
"""One set of instructions and one thread: the same sums on every processor that has AVX2.

The face networks are the exception: LiteRT chooses its instructions by itself, and where it finds
more than AVX2 the golden numbers may have to be recorded anew.
"""


def computed(folder):
    words = [sys.executable, str(HERE / "bits.py"), str(folder)]
    child = subprocess.run(words, env={**os.environ, **FIXED}, stdout=subprocess.PIPE, check=True)
    return json.loads(child.stdout)


@pytest.mark.slow
def test_every_channel_number_and_weight_is_what_it_was(tmp_path):
    assert computed(tmp_path) == json.loads(GOLDEN.read_text())


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        GOLDEN.write_text(json.dumps(computed(folder), indent=1) + "\n")
