"""What the shot of a node has: what comes next, what a button still needs, where its files are.

Standard library only, Python 3.9: hosts import this.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .declared import button_label, commands, declaration, pressed
from .requests import folder, plate, result
from .results import Frames, Pattern, checked, is_absolute, pattern

if TYPE_CHECKING:
    from .requests import Values


@dataclass(frozen=True)
class ShotState:
    """A node's settings, and what the worker last said of its shot.

    ``info`` is the answer to ``shot info``: {} without a shot, None while it is not known.
    """

    values: Values
    info: dict[str, Any] | None

    def missing(self, button: str) -> str:
        """Return what has to be done before this button, in words; empty when nothing has."""
        command = pressed(button).command
        if not command:
            return ""
        for param in commands()[command]["params"]:
            name = param["settings"][0] if param["settings"] else ""
            if name and param["required"] and not self.values.get(name):
                return f"Fill in {name} first."
        return self._first(command) or self._unfilled(command)

    def _first(self, command: str) -> str:
        """Name the first command that this one needs and that has not been run."""
        if self.info is None:
            return ""  # not known yet; the worker refuses what cannot be done
        first = next(iter(commands()))
        if not self.info and command != first:
            return f"Press {button_label(first)} first: there is no shot in this folder."
        for need in commands():
            why = self.info.get("missing", {}).get(need, "")
            if why and need in _needs(command):
                return f"Press {button_label(need)} first: {why}."
        return ""

    def _unfilled(self, command: str) -> str:
        """Name what has to be filled in as long as the shot has nothing for the likeness."""
        about, likeness = commands()[command], self.values.get("likeness") or ""
        known = self._known("versions").get(about["makes"], {})
        for press in about["button"]["presses"]:
            when = press["when"]
            if when and likeness and likeness not in known and not self.values.get(when):
                return f"Fill in {when} first: there is no {command} of {likeness} yet."
        return ""

    @property
    def next(self) -> str:
        """What comes next on this shot, in words; empty when a swap is there."""
        if self.info == {}:
            return f"Press {button_label(next(iter(commands())))}."
        step = (self.info or {}).get("next", "")
        return f"Press {button_label(step)}: {self._known('missing')[step]}." if step else ""

    @property
    def people(self) -> list[str]:
        """Who was found in the plate, a line each."""
        found = self._known("people").items()
        return [f"{name}: seen in {one['seen']} of {one['frames']} frames" for name, one in found]

    @property
    def consent(self) -> list[str]:
        """Whose release holds, or why not, a line each."""
        found = self._known("releases").items()
        return [refusal or f"{name} consents to this project" for name, refusal in found]

    @property
    def advice(self) -> list[str]:
        """What to shoot more of, a line each."""
        return [line for lines in self._known("advice").values() for line in lines]

    @property
    def plate(self) -> Pattern:
        """The plate that the shot names; until that is known, where a host renders its own to."""
        path = self._known("plate").get("path", "")
        if not path:
            return plate(self.values)
        return pattern(path if is_absolute(path) else f"{folder(self.values)}/{path}")

    @property
    def result(self) -> Pattern:
        """Where the frames of the swap are, or will be."""
        return result(self.values, (self.info or {}).get("name", ""))

    def frames(self) -> Frames:
        """Return the frames of the result that are on disk, by whether they can be shown."""
        layer = str(self._known("plate").get("layer", ""))
        return checked(self.result, self.plate, self.result.frames(), layer)

    def _known(self, key: str) -> dict[str, Any]:
        """Return a table of ``info``, empty when it is not known."""
        return dict((self.info or {}).get(key, {}))


UNKNOWN = ShotState({}, None)


def _needs(command: str) -> set[str]:
    """Everything that comes before a command, directly or not."""
    known = declaration().every_command
    own = set(known[command]["needs"])
    return own.union(*(_needs(need) for need in own))
