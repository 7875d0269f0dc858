"""The remedies of problems, worded for a terminal: flags and commands."""

from shlex import quote

from lifemask.nodes.command import OnShot
from lifemask.nodes.errors import Remedy
from lifemask.plugin.commands.arguments import flag

WORDS = {
    "add_release": (
        "add it with `lifemask release add {shot} --performer {performer} --document FILE "
        "--project NAME --expires DAY`"
    ),
    "add_takes": "add takes",
    "add_takes_or_allow_single": "add takes, or use --allow-single for one photograph",
    "another_layer": "--layer names another",
    "convert_or_name_colorspace": "convert it to sRGB, or name its colour space with --colorspace",
    "double_again": "make the double's faceset again",
    "fewer_examples": "choose fewer --max-examples, or a smaller --size",
    "fewer_frames": "fewer are enough with --min-frames",
    "first_swap": (
        "make it with `lifemask swap {shot} --likeness NAME`, and `lifemask shot info {shot}` "
        "says what comes before"
    ),
    "lower_learning_rate": "train anew with a lower --learning-rate",
    "make": "run `lifemask {command} {shot}{options}`",
    "name_colorspace": "name it with --colorspace",
    "name_fps": "give it with --fps",
    "name_layer": "name one with --layer, or as plate.layer in shot.toml",
    "name_person": "--person names another",
    "name_the_double": (
        "--double makes that, and more footage of the double is a performer of its own name, "
        "for --double-is"
    ),
    "new_shot": "make it with `lifemask shot new {shot} --plate ...`",
    "replace_version": "--overwrite replaces it",
    "smaller_windows": "choose a smaller --size",
    "track_again": "track it again",
    "track_or_swap_fewer": "track them, too, or swap fewer",
    "train_anew": "--version {version} --overwrite trains it anew",
    "train_elsewhere": (
        "go on with that, train in another folder (another --version or --out), or remove this one"
    ),
    "whose_double": "name the likeness with --performer",
    "whose_takes": "--performer needs takes, --double takes its faces from the plate",
}
"""By the id of the remedy; its fields are in braces."""


def with_remedy(problem: str, remedy: Remedy | None) -> str:
    """Return a problem and its remedy as one sentence."""
    return f"{problem}; {worded(remedy)}" if remedy else problem


def worded(remedy: Remedy) -> str:
    """Return the words to type, quoted for a shell."""
    fields = {name: quote(value) for name, value in remedy.fields.items()}
    if remedy.id == "make":
        fields["options"] = _options(remedy.fields["command"], remedy.fields["name"])
    return WORDS[remedy.id].format(**fields)


def _options(command: str, name: str) -> str:
    """Return the further options of the command that makes ``name``."""
    makers = (maker for maker in OnShot.registry.values() if maker.name == command)
    options = next(makers).options_for(name)
    return "".join(f" {_typed(option, value)}" for option, value in options.items())


def _typed(option: str, value: object) -> str:
    if value is ...:
        return "..."
    return flag(option) if value is True else f"{flag(option)} {value}"
