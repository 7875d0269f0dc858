"""Swap on a shot: the likeness's face on the double."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Annotated

from lifemask.nodes.command import FRAMES, Button, OnShot, Option, Result
from lifemask.nodes.performance import Performance
from lifemask.nodes.refiner.versions import BASE, newest
from lifemask.nodes.shot.folder import Shot
from lifemask.nodes.swap import Swap, write_swap
from lifemask.nodes.swap.roles import LIKENESSES, cast_of


class SwapOnShot(OnShot):
    """Put the likeness's face on the double."""

    name = "swap"
    example = (
        "lifemask swap sh010 --likeness ada --frames 1001-1040\n"
        "  lifemask swap sh010 --likeness ada=p1 --likeness ben=p2"
    )
    node = Swap
    makes = "swaps"
    needs = ("release add", "track", "faceset")
    uses = ("train", "perform")
    goal = True
    button = Button("Swap", plate=True, by_frame=True)

    likeness: Annotated[tuple[str, ...], LIKENESSES]
    no_model: Annotated[bool, Option("Leave the render as it is, without the network.")] = False
    performance: Annotated[
        str,
        Option("A performance to play instead of the double's own: see perform.", "NAME"),
    ] = ""
    frames: Annotated[
        str,
        replace(FRAMES, doc=f"{FRAMES.doc} The others of a version that is replaced stay."),
    ] = ""

    def run(self) -> Result:
        """Return the folder of the frames, their number, and the model used."""
        shot = Shot.load(self.shot)
        cast = [one.role for one in cast_of(shot, self.likeness, self._performance(shot))]
        model = None if self.no_model else newest(shot) or BASE
        name = "_".join(dict.fromkeys(role.likeness.performer for role in cast))
        node, plate = shot.node(Swap, **self.knobs), shot.plate_of(self.frames)
        folder = shot.claimed(self.makes, name, self.version, self.overwrite)
        name = f"{shot.name}_{folder.name}"
        written = write_swap(node, plate, cast, folder, name, not self.frames, model)
        return {"swap": folder, "frames": len(written), "model": model.path if model else "none"}

    def _performance(self, shot: Shot) -> Performance | None:
        name = self.performance
        return Performance.load(shot.latest("performances", name)) if name else None

    @classmethod
    def options_for(cls, name: str) -> Mapping[str, object]:
        """Return whose face goes in."""
        return {"likeness": name}

    @classmethod
    def lacking(cls, shot: Shot, likenesses: Sequence[str], person: str = "") -> str:
        """Return whose face is in no swap yet."""
        swapped = {*shot.names(cls.makes)}
        swapped.update(*(_in_swap(name, shot.performers) for name in shot.names(cls.makes)))
        return cls.lacking_of(likenesses, swapped)


def _in_swap(name: str, performers: Iterable[str]) -> set[str]:
    """Whose faces a swap of this name puts in: of several people it has all their names."""
    known = [re.escape(one) for one in performers]
    anybody = "|".join(known)
    parts = (rf"(?:(?:{anybody})_)*({one})(?:_(?:{anybody}))*" for one in known)
    return {found[1] for part in parts if (found := re.fullmatch(part, name))}
