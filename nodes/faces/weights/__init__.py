"""The network files, exactly as their makers published them: see NOTICE and LICENSE here."""

from hashlib import sha256
from pathlib import Path

from lifemask.nodes.errors import BrokenFileError

FOLDER = Path(__file__).parent


def read(name: str, folder: Path = FOLDER) -> bytes:
    """Return the bytes of a file of this folder.

    Raises BrokenFileError when it is missing or is not the file that SHA256SUMS names.
    """
    path = folder / name
    try:
        lines = (folder / "SHA256SUMS").read_text().splitlines()
        sums = {file: digest for digest, file in map(str.split, lines)}
        data = path.read_bytes()
    except (OSError, ValueError) as error:
        raise BrokenFileError(
            f"{path}: cannot be read ({error}); install Lifemask again"
        ) from error
    if sha256(data).hexdigest() != sums.get(name):
        raise BrokenFileError(f"{path}: this file was altered or cut off; install Lifemask again")
    return data
