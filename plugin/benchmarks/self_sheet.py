"""A contact sheet of a swap below its plate, about the face."""

from pathlib import Path

import numpy as np

from lifemask.ocio.colour.transform import display
from lifemask.ocio.media.footage import Footage
from lifemask.plugin.reports import contact_sheet
from lifemask.plugin.reports.contact_sheet import GAP, HEAD, MARGIN, TILE
from lifemask.plugin.reports.swap_report import spread

_COUNT = 8


def write_sheet(path: Path, plate: Footage, swap: Footage) -> None:
    """Write a PNG with a column for each of a few frames."""
    numbers = spread(swap.frames, _COUNT)
    with plate.open() as before, swap.open() as after:
        frames = [after.read(number, layers=True) for number in numbers]
        mattes = [frame.layers["facematte.V"] for frame in frames]
        swaps = [display(frame.rgb, swap.colorspace) for frame in frames]
        plates = [display(before.read(number).rgb, plate.colorspace) for number in numbers]
    side = contact_sheet.face_side(mattes)
    size = (HEAD + 2 * (TILE + GAP), MARGIN + len(numbers) * (TILE + GAP), 3)
    sheet = np.full(size, contact_sheet.GREY, np.float32)
    for column, matte in enumerate(mattes):
        left, top = contact_sheet.box(matte, side)
        x = MARGIN + column * (TILE + GAP)
        for row, pictures in enumerate((plates, swaps)):
            y = HEAD + row * (TILE + GAP)
            cut = pictures[column][top : top + side, left : left + side]
            sheet[y : y + TILE, x : x + TILE] = contact_sheet.tile(cut)
    labels = [(str(n), MARGIN + 2 + i * (TILE + GAP), HEAD - 12, 22) for i, n in enumerate(numbers)]
    labels += [(n, 16, HEAD + 26 + i * (TILE + GAP), 22) for i, n in enumerate(("plate", "swap"))]
    contact_sheet.save(path, contact_sheet.written(sheet, labels))
