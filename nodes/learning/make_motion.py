"""The recipe of the shipped atlas's turns: what a head's turn does to a tracked shape.

It needs more people than the maps do, and no pictures: FACESETS is a folder of facesets, such as
`lifemask base --facesets` keeps, each of which counts as another person.

Run it as ``python -m lifemask.nodes.learning.make_motion FACESETS OUT``. OUT has the maps of the
atlas that ships. Facesets and models made with one atlas have to be made again for another.
"""

from argparse import ArgumentParser
from dataclasses import replace
from pathlib import Path

import numpy as np

from lifemask.nodes.errors import FaceError
from lifemask.nodes.faceset.files import INDEX, FaceSet
from lifemask.nodes.faceset.provider import posed_faces_of
from lifemask.nodes.render.atlas import Atlas, about, atlas
from lifemask.nodes.render.make_atlas import save, with_shapes


def learned(facesets: Path) -> tuple[Atlas, dict[str, object]]:
    """Return the shipped atlas with the motion of the people in ``facesets``, and what it is from.

    Raises FaceError when the folder has no faceset.
    """
    folders = sorted(index.parent for index in facesets.glob(f"*/{INDEX}"))
    known = [FaceSet.load(folder) for folder in folders]
    if not known:
        raise FaceError(f"{facesets}: no faceset is in it")
    seen = [~posed_faces_of(one).hidden for one in known]
    landmarks = np.concatenate([one.faces.landmarks[s] for one, s in zip(known, seen, strict=True)])
    counts = zip(known, seen, strict=True)
    people = [one.folder.name for one, shown in counts for _ in range(int(shown.sum()))]
    found, _ = with_shapes(atlas(), landmarks, people)
    motion = {"facesets": len(known), "frames": len(landmarks)}
    moved = replace(atlas(), turns=found.turns)
    return moved, {**about(), "motion": motion}


def main() -> None:
    """Learn the motion of FACESETS and write the atlas to OUT."""
    parser = ArgumentParser(description="Make the motion of the atlas from facesets.")
    parser.add_argument("facesets", type=Path, metavar="FACESETS", help="Folder of facesets.")
    parser.add_argument("out", type=Path, metavar="OUT", help="The file, atlas.safetensors.")
    given = parser.parse_args()
    save(given.out, *learned(given.facesets))


if __name__ == "__main__":
    main()
