"""OpenColorIO configurations: the one in `$OCIO`, the built-in one, and conversion between them."""

import os
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from lifemask.ocio.colour.encodings import add_encodings
from lifemask.ocio.media_errors import ColorError

if TYPE_CHECKING:
    from PyOpenColorIO import ColorSpace, Config, CPUProcessor, Processor

BUILT_IN = "ocio://studio-config-v2.2.0_aces-v1.3_ocio-v2.4"

_ASSUMED = "lin_rec709"
_REFERENCE = "ACES2065-1"
_XYZ = "cie_xyz_d65_interchange"


class Space(NamedTuple):
    """A colour space: its configuration's source, and its name in that configuration."""

    config: str
    name: str

    @property
    def declared(self) -> "ColorSpace":
        """The configuration's entry for it."""
        return load(self.config).getColorSpace(self.name)

    @property
    def linear(self) -> bool:
        """Whether values are proportional to light in the scene."""
        import PyOpenColorIO

        scene = PyOpenColorIO.REFERENCE_SPACE_SCENE
        linear = False
        with suppress(*_failures()):
            linear = load(self.config).isColorSpaceLinear(self.name, scene)
        return linear and not self.declared.isData()


class _Interchange(NamedTuple):
    """The same space by its name in the user's configuration and in the built-in one."""

    own: str
    built_in: str
    assumed: bool = False


def find(name: str) -> Space | None:
    """Return the space of this name, alias or role in `$OCIO`, else the built-in one of this name.

    Raises ColorError when `$OCIO` is not usable.
    """
    return _find(active_source(), name)


def active_source() -> str:
    """Return the source of the configuration in use."""
    return os.environ.get("OCIO") or BUILT_IN


@cache
def load(source: str) -> "Config":
    """Return a configuration, the built-in one with the spaces of photographs added.

    Raises ColorError when it is not usable.
    """
    import PyOpenColorIO

    try:
        config = PyOpenColorIO.Config.CreateFromFile(source)
    except _failures() as error:
        raise ColorError(f"OCIO: {source} is not a usable configuration ({error})") from error
    if source == BUILT_IN:
        add_encodings(config)
    return config


@cache
def processor(source: Space, target: Space) -> "CPUProcessor":
    """Return the conversion; raises ColorError when there is none."""
    import PyOpenColorIO

    try:
        if source.config == target.config:
            made = load(source.config).getProcessor(source.name, target.name)
        else:
            made = _between(source, target)
    except _failures() as error:
        raise ColorError(f"{source.name} cannot be converted to {target.name} ({error})") from error
    return made.getOptimizedCPUProcessor(PyOpenColorIO.OPTIMIZATION_LOSSLESS)


def local_name(name: str) -> str:
    """Return the name in `$OCIO` of a built-in space, or the built-in name if it has none.

    Raises ColorError when `$OCIO` is not usable.
    """
    return _local_name(active_source(), name)


def is_assumed(space: Space) -> bool:
    """Whether a space is converted by assuming that its configuration's scene_linear is Rec.709."""
    return space.config != BUILT_IN and _interchange(space).assumed


def _failures() -> tuple[type[Exception], ...]:
    """Return the classes that OpenColorIO raises; its error for a missing LUT has another base."""
    import PyOpenColorIO

    return PyOpenColorIO.Exception, PyOpenColorIO.ExceptionMissingFile


@cache
def _find(source: str, name: str) -> Space | None:
    own = load(source).getColorSpace(name)
    return Space(source, str(own.getName())) if own else _standard(name)


def _standard(name: str) -> Space | None:
    """Return the built-in space of this name or alias: a role is each configuration's own."""
    config = load(BUILT_IN)
    found = None if config.hasRole(name) else config.getColorSpace(name)
    return Space(BUILT_IN, str(found.getName())) if found else None


@cache
def _local_name(source: str, name: str) -> str:
    own = load(source)
    if own.getColorSpace(name):
        return name
    try:
        return str(own.IdentifyBuiltinColorSpace(own, load(BUILT_IN), name))
    except _failures():
        return name


def _between(source: Space, target: Space) -> "Processor":
    import PyOpenColorIO

    from_built_in = source.config == BUILT_IN
    own, built_in, _ = _interchange(target if from_built_in else source)
    over = (built_in, own) if from_built_in else (own, built_in)
    return PyOpenColorIO.Config.GetProcessorFromConfigs(
        load(source.config), source.name, over[0], load(target.config), target.name, over[1]
    )


@cache
def _interchange(space: Space) -> _Interchange:
    """Return the space in which the configuration of ``space`` and the built-in one meet.

    That of its interchange roles, else the one that OpenColorIO identifies, else one with the name
    of a built-in space, else its scene_linear, which is then taken for Rec.709.
    """
    config, built_in = load(space.config), load(BUILT_IN)
    with suppress(*_failures()):
        return _Interchange(
            *config.IdentifyInterchangeSpace(config, space.name, built_in, _REFERENCE)
        )
    xyz = config.getColorSpace(_XYZ)
    if xyz and xyz.getReferenceSpaceType() == space.declared.getReferenceSpaceType():
        return _Interchange(xyz.getName(), built_in.getColorSpace(_XYZ).getName())
    linear = config.getColorSpace("scene_linear")
    for name in [*([linear.getName()] if linear else []), *config.getColorSpaceNames()]:
        standard = _standard(name)
        if standard and standard.linear and Space(space.config, name).linear:
            return _Interchange(name, standard.name)
    if not linear:
        raise ColorError(
            f"OCIO: {space.config} has no role aces_interchange or scene_linear, so that "
            f"{space.name} cannot be converted; add one of them, or unset OCIO"
        )
    return _Interchange(linear.getName(), _ASSUMED, assumed=True)
