"""Faceset on a shot: a performer's faces, from takes or from the plate itself."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

from lifemask.nodes.command import Button, OnShot, Option, Press, Result
from lifemask.nodes.errors import KnobError, Remedy
from lifemask.nodes.faceset import Faceset
from lifemask.nodes.faceset.coverage_report import report
from lifemask.nodes.faceset.files import FaceSet, reasons
from lifemask.nodes.faceset.takes import find_takes
from lifemask.nodes.progress import note
from lifemask.nodes.shot.folder import Shot
from lifemask.nodes.shot.interpretation import LAYER, note_layer, space_of
from lifemask.nodes.shot.names import check_performer, person_of
from lifemask.nodes.shot.tracks import chosen, double_name, people_of, plate_tracks
from lifemask.nodes.track import Track
from lifemask.nodes.types import FaceTrack
from lifemask.ocio.media.footage import Footage
from lifemask.ocio.media.frame_ranges import named_range
from lifemask.ocio.media.source import FrameSource

_OF_TAKES = ("takes", "performer", "colorspace", "layer")


class FacesetOnShot(OnShot):
    """Collect one performer's faces, from takes or from the plate itself."""

    name = "faceset"
    example = (
        "lifemask faceset sh010 --performer ada takes/ada_*/*.####.exr\n"
        "  lifemask faceset sh010 --performer ada ada.jpg --allow-single\n"
        "  lifemask faceset sh010 --performer ada renders/ada.####.exr --layer beauty\n"
        "  lifemask faceset sh010 --double\n"
        "  lifemask faceset sh010 --double --double-is ben    # of whom there is a faceset, too"
    )
    node = Faceset
    makes = "facesets"
    needs = ("track",)
    button = Button(
        "Faces",
        plate=True,
        presses=(
            Press(options=_OF_TAKES, when="takes"),
            Press({"double": True}, options=("person", "double_is")),
        ),
    )

    takes: Annotated[
        tuple[str, ...],
        Option("ada.####.exr, a movie, a folder, a pattern, a photo.", "TAKE", positional=True),
    ] = ()
    performer: Annotated[
        str,
        Option(
            "The performer whose faces these are: the likeness.",
            "NAME",
            group="whose",
            settings=("likeness",),
        ),
    ] = ""
    double: Annotated[
        bool, Option("Make the double's faceset, from plate and track.", group="whose", settings=())
    ] = False
    double_is: Annotated[
        str,
        Option("The double's name, if there is a faceset of them under other lights.", "NAME"),
    ] = ""
    person: Annotated[str, Option("The person in the track, if there are several.", "NAME")] = ""
    colorspace: Annotated[
        str,
        Option(
            "Colour space of the takes; by default the one in their header.",
            "NAME",
            settings=("takes_colorspace",),
        ),
    ] = ""
    layer: Annotated[str, Option(LAYER, "NAME", settings=("takes_layer",))] = ""

    def run(self) -> Result:
        """Return the faceset's folder, its number of faces, and advice on what to shoot."""
        self._check()
        shot = Shot.load(self.shot)
        double = chosen(plate_tracks(shot), self.person, "person") if self.double else None
        name = (
            double_name(shot, double.person)
            if double
            else check_performer(self.performer, "performer")
        )
        folder = shot.target(self.makes, name, self.version, self.overwrite)
        node = shot.node(Faceset, **self._knobs())
        takes, tracks = _of_plate(shot, double) if double else self._from_takes(shot, node)
        faceset = node(takes, tracks, name, folder, self._other(shot))
        if not self.double:
            shot.with_performer(name)
        advice = self._advice(shot, name)
        result = {
            "faceset": folder,
            "faces": len(faceset),
            "left out": reasons(faceset.dropped) or "none",
        }
        return {**result, "advice": advice} if advice else result

    def _check(self) -> None:
        """Raise KnobError for options that do not go together."""
        if bool(self.takes) is self.double:
            raise KnobError(
                "takes: a performer needs takes, the double has none", Remedy("whose_takes")
            )
        if self.double_is and not self.double:
            raise KnobError("double_is: is for the double's own faceset", Remedy("whose_double"))
        if self.layer and self.double:
            raise KnobError("layer: is for takes; that of the plate is plate.layer in shot.toml")

    def _knobs(self) -> dict[str, Any]:
        return {**({"every_frame": True} if self.double else {}), **self.knobs}

    def _from_takes(self, shot: Shot, node: Faceset) -> tuple[list[FrameSource], list[FaceTrack]]:
        found = [
            replace(take, layer=self.layer) for take in find_takes(self.takes, node.allow_single)
        ]
        for take in found:
            if take.stream_note:
                note("faceset", f"{take.path}: {take.stream_note}")
            note_layer("faceset", take)
        spaces = [space_of(take, self.colorspace) for take in found]
        takes: list[FrameSource] = [*map(Footage, found, spaces)]
        track = shot.node(Track, focal_length=node.focal_length)
        return takes, [self._likeness(take, track(take)) for take in takes]

    def _likeness(self, take: FrameSource, tracks: list[FaceTrack]) -> FaceTrack:
        """Return the track of the take's performer: ``person``, or the largest face."""
        if self.person:
            people = {track.person: track for track in tracks}
            return chosen(people, self.person, take.name)
        if len(tracks) > 1:
            name = Path(take.name).name
            about = f"{name}: {len(tracks)} people; taking the largest"
            note("faceset", about, Remedy("name_person"))
        return tracks[0]

    def _other(self, shot: Shot) -> FaceSet | None:
        """Return the double's faceset under other lights; None when none is named."""
        if not self.double_is:
            return None
        return FaceSet.load(shot.latest(self.makes, check_performer(self.double_is, "double-is")))

    def _advice(self, shot: Shot, name: str) -> list[str]:
        doubles = [double_name(shot, person) for person in people_of(shot)]
        likenesses = [one for one in shot.performers if one != self.double_is]
        return report(shot, likenesses if self.double else [name], doubles)

    @classmethod
    def options_for(cls, name: str) -> Mapping[str, object]:
        """Return whose faces are collected."""
        person = person_of(name)
        if person is None:
            return {"performer": name, "takes": ...}
        return {"double": True, "person": person} if person else {"double": True}

    @classmethod
    def lacking(cls, shot: Shot, likenesses: Sequence[str], person: str = "") -> str:
        """Return which likenesses, and which people of the plate, have no faceset yet."""
        people = [one for one in people_of(shot) if person in ("", one)]
        doubles = [double_name(shot, one) for one in people]
        return cls.lacking_of([*likenesses, *doubles], {*shot.names(cls.makes)})


def _of_plate(shot: Shot, track: FaceTrack) -> tuple[list[FrameSource], list[FaceTrack]]:
    return [shot.plate_of(named_range(track.frames.tolist()))], [track]
