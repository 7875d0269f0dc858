"""Track on a shot: each face of the plate, a version for everybody in it and for each hand."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Annotated

from lifemask.nodes.command import FRAMES, Button, OnShot, Result
from lifemask.nodes.errors import Remedy, VersionExistsError, WriteError
from lifemask.nodes.shot.folder import Shot
from lifemask.nodes.shot.names import check_version
from lifemask.nodes.track import Track
from lifemask.nodes.types import FaceTrack, HandTrack
from lifemask.ocio.system.atomic import one_at_a_time


class TrackOnShot(OnShot):
    """Follow each face through the plate, and each hand."""

    name = "track"
    example = "lifemask track sh010"
    node = Track
    makes = "track"
    ending = ".safetensors"
    needs = ("shot new",)
    button = Button("Faces", plate=True)

    frames: Annotated[str, FRAMES] = ""

    def run(self) -> Result:
        """Return the files of the tracks, and how many frames show each person and hand."""
        from lifemask.nodes.head.performed import tracked_performance

        shot = Shot.load(self.shot)
        self._number(shot)  # refused before the work
        node, plate = shot.node(Track, **self.knobs), shot.plate_of(self.frames)
        faces, hands = node.with_hands(plate)
        tracks: dict[str, FaceTrack | HandTrack] = {face.person: face for face in faces}
        tracks |= {hand.hand: hand for hand in hands}
        paths = self._save(shot, tracks)
        for track in faces:
            performance = tracked_performance(track, plate.name)
            performance.save(shot.next_version("performances", track.person))
        text = [_summary(name, track) for name, track in tracks.items()]
        return {"track": paths, "text": [*text, *_without(node, hands)]}

    def _save(self, shot: Shot, tracks: Mapping[str, FaceTrack | HandTrack]) -> list[Path]:
        """Write the ``tracks`` under one number that no other run takes; return the files."""
        with one_at_a_time(shot.folder / self.makes):
            number = self._number(shot)
            paths = {name: shot.version(self.makes, name, number) for name in tracks}
            try:
                for name, track in tracks.items():
                    track.save(paths[name])
            except WriteError:
                # The tracks of one run belong together: a part of them would pass for all.
                for path in () if self.overwrite else paths.values():
                    with suppress(OSError):
                        path.unlink(missing_ok=True)
                raise
            for name in set(shot.names(self.makes)) - set(paths):
                shot.version(self.makes, name, number).unlink(missing_ok=True)
        return list(paths.values())

    def _number(self, shot: Shot) -> int:
        """Return the number that all tracks of this run share."""
        names = shot.names(self.makes)
        known = {n for name in names for n in shot.versions(self.makes, name)}
        if self.version in known and not self.overwrite:
            raise VersionExistsError(
                f"{shot.folder}/{self.makes}: v{self.version:03d} is there already",
                Remedy("replace_version"),
            )
        return max(known, default=0) + 1 if self.version is None else check_version(self.version)

    @classmethod
    def lacking(cls, shot: Shot, likenesses: Sequence[str], person: str = "") -> str:
        """Return that nobody has been tracked, or nothing."""
        return "" if shot.names(cls.makes) else "nobody has been tracked yet"


def _summary(name: str, track: FaceTrack | HandTrack) -> str:
    sure = track.confidence if isinstance(track, FaceTrack) else track.presence
    return f"{name} is seen in {int((sure > 0).sum())} of {len(track.frames)} frames"


def _without(node: Track, hands: list[HandTrack]) -> list[str]:
    return ["no hand is seen"] if node.hands and not hands else []
