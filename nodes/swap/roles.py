"""Who goes on whom: the option that swapping and training share."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from lifemask.nodes.command import Option
from lifemask.nodes.errors import KnobError
from lifemask.nodes.faceset.files import FaceSet
from lifemask.nodes.faceset.provider import likeness_of, occlusion_of, subject_of
from lifemask.nodes.performance import Performance
from lifemask.nodes.plate_subject import PlateSubject
from lifemask.nodes.shot.folder import Shot
from lifemask.nodes.shot.names import check_performer
from lifemask.nodes.shot.release import Release, consent
from lifemask.nodes.shot.tracks import chosen, double_name, hands_of, plate_tracks
from lifemask.nodes.swap import Role
from lifemask.nodes.types import FaceTrack, HandTrack

LIKENESSES = Option(
    "Whose face goes in, and on whom; once for each person of the plate.",
    "NAME[=PERSON]",
    repeated=True,
    settings=("likeness", "person"),
)


@dataclass(frozen=True)
class FacesetRole:
    """A role whose people have facesets: ``double`` is of the person in the plate.

    Without another ``performance`` it is the double's own.
    """

    track: FaceTrack
    likeness: FaceSet
    double: FaceSet
    release: Release
    project: str
    performance: Performance | None = None
    hands: tuple[HandTrack, ...] = ()

    @property
    def role(self) -> Role:
        """The role itself, which knows nothing of facesets."""
        subject = subject_of(self.double)
        return Role(
            track=self.track,
            performance=self.performance or self._own(subject),
            subject=subject,
            occlusion=occlusion_of(self.double, self.hands),
            likeness=likeness_of(self.likeness),
            release=self.release,
            project=self.project,
        )

    def _own(self, subject: PlateSubject) -> Performance:
        from lifemask.nodes.head.performed import performance_of

        return performance_of(subject.posed, self.track.camera, subject.source)


def cast_of(
    shot: Shot, words: Iterable[str], performance: Performance | None = None
) -> list[FacesetRole]:
    """Return the roles that each NAME or NAME=PERSON of ``words`` means.

    All play the ``performance``, or each the double's own.

    Raises ReleaseError when a likeness has no release, and KnobError when two mean one person.
    """
    names = _names(words)
    releases = {likeness: consent(shot, likeness) for likeness, _ in names}
    tracks = plate_tracks(shot)
    roles = (_role(shot, tracks, releases[likeness], person) for likeness, person in names)
    hands = tuple(hands_of(shot).values())
    return [replace(role, performance=performance, hands=hands) for role in roles]


def _names(words: Iterable[str]) -> list[tuple[str, str]]:
    """Return likeness and person of each NAME or NAME=PERSON."""
    pairs = [
        (check_performer(name, "likeness"), who)
        for name, _, who in (word.partition("=") for word in words)
    ]
    people = [person for _, person in pairs]
    if len(set(people)) < len(people):
        raise KnobError("likeness: two faces for one person; name each person, as in ada=p1")
    return pairs


def _role(shot: Shot, tracks: dict[str, FaceTrack], release: Release, person: str) -> FacesetRole:
    track = chosen(tracks, person, f"likeness {release.performer}")
    return FacesetRole(
        track=track,
        likeness=FaceSet.load(shot.latest("facesets", release.performer)),
        double=FaceSet.load(shot.latest("facesets", double_name(shot, track.person))),
        release=release,
        project=shot.project,
    )
