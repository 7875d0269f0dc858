"""Evaluates the handful of Nuke's node classes that the gizmo is made of, on pictures in memory.

A picture is a dictionary of channels, (H, W) float32, by Nuke's names. What a node class does is
taken from Nuke's own reference: Keymix and its two exact ends from the NDK's source, Merge, Grade,
Copy, Premult, Remove and Expression from the reference guide.
"""

import re

import numpy as np

COLOURS = ("rgba.red", "rgba.green", "rgba.blue", "rgba.alpha")
RGB = COLOURS[:3]
EXR = {"R": "red", "G": "green", "B": "blue", "A": "alpha"}
TOKEN = re.compile(r"\s*(\d+(?:\.\d+)?|[A-Za-z_][\w.]*|<=|>=|==|[-+*/()?:<>,])")
SHORT = {"r": COLOURS[0], "g": COLOURS[1], "b": COLOURS[2], "a": COLOURS[3]}
SCRIPT_ONLY = {"name", "label", "xpos", "ypos", "inputs"}


class Evaluation:
    """One evaluation of a group: ``sources`` are its inputs and what its Reads give, by name."""

    def __init__(self, group, sources, size, knobs):
        self.sources, self.size, self.knobs = sources, size, knobs
        self.done = {}
        (self.output,) = [node for node in group.children if node.kind == "Output"]

    def picture(self):
        """Return what the group gives."""
        return self.of(self.output)

    def of(self, node):
        """Return a node's picture; nothing connected is black without channels."""
        if node is None:
            return {}
        if id(node) not in self.done:
            unknown = set(node.knobs) - SCRIPT_ONLY - KNOBS[node.kind]
            assert not unknown, f"{node.name}: {unknown} are not evaluated here"
            self.done[id(node)] = getattr(self, f"_{node.kind.lower()}")(node)
        return self.done[id(node)]

    def inputs(self, node):
        return [self.of(source) for source in node.inputs]

    def zero(self):
        return np.zeros(self.size, np.float32)

    def _input(self, node):
        return dict(self.sources.get(node.name, {}))

    _read = _input

    def _output(self, node):
        return self.of(node.inputs[0])

    def _switch(self, node):
        which = node.knobs["which"].strip("{}")
        return self.of(node.inputs[int(self.knobs[which.removeprefix("parent.")])])

    def _copy(self, node):
        below, above = self.inputs(node)
        copied = dict(below)
        if node.knobs.get("channels") == "all":
            copied |= above
        for index in range(4):
            source, target = (node.knobs.get(f"{end}{index}", "none") for end in ("from", "to"))
            if "none" not in (source, target):
                copied[target] = above.get(source, self.zero())
        return copied

    def _keymix(self, node):
        below, above, mask = self.inputs(node)
        share = mask.get(node.knobs["maskChannel"], self.zero())
        assert node.knobs["channels"] == "rgb"
        return below | {
            name: _mixed(below.get(name, self.zero()), above.get(name, self.zero()), share)
            for name in RGB
        }

    def _merge2(self, node):
        below, above = self.inputs(node)
        assert node.knobs["output"] == "rgb"
        alpha = above.get("rgba.alpha", self.zero())
        pairs = {name: [layer.get(name, self.zero()) for layer in (below, above)] for name in RGB}
        operation = node.knobs["operation"]
        return below | {name: _merged(operation, *pair, alpha) for name, pair in pairs.items()}

    def _grade(self, node):
        (below,) = self.inputs(node)
        gain, lift = (np.float32(self.knobs.get(name, value)) for name, value in GRADE)
        assert node.knobs["black_clamp"] == node.knobs["white_clamp"] == "false"
        if gain == 1 and lift == 0:
            return below
        return below | {name: below[name] * (gain - lift) + lift for name in RGB}

    def _premult(self, node):
        (below,) = self.inputs(node)
        return below | {name: below[name] * below["rgba.alpha"] for name in RGB}

    def _remove(self, node):
        (below,) = self.inputs(node)
        layer = node.knobs["channels"]
        return {name: plane for name, plane in below.items() if name.split(".")[0] != layer}

    def _expression(self, node):
        (below,) = self.inputs(node)
        variables = _Variables(below, self.zero())
        for index in range(4):
            if f"temp_name{index}" in node.knobs:
                value = evaluated(node.knobs[f"temp_expr{index}"], variables)
                variables[node.knobs[f"temp_name{index}"]] = value
        made = {
            name: evaluated(node.knobs[f"expr{index}"], variables)
            for index, name in enumerate(COLOURS)
            if f"expr{index}" in node.knobs
        }
        return below | {name: np.broadcast_to(plane, self.size) for name, plane in made.items()}


GRADE = (("white", 1), ("black", 0))
BOX = {"bbox"}
KNOBS = {
    "Input": {"number"},
    "Output": set(),
    "Read": {
        *("file_type", "file", "localizationPolicy", "before", "after", "on_error", "raw"),
    },
    "Switch": {"which"},
    "Copy": {"channels", "metainput"}
    | BOX
    | {f"{end}{i}" for end in ("from", "to") for i in range(4)},
    "Keymix": {"channels", "maskChannel"} | BOX,
    "Merge2": {"operation", "Achannels", "Bchannels", "output"} | BOX,
    "Grade": {"black_clamp", "white_clamp"},
    "Premult": set(),
    "Remove": {"channels"},
    "Expression": {f"{w}{i}" for w in ("temp_name", "temp_expr", "expr") for i in range(4)},
}


class _Variables(dict):
    """What an expression can name: its channels, r g b a, and its temporary variables."""

    def __init__(self, picture, zero):
        super().__init__(picture)
        self.zero = zero

    def __missing__(self, name):
        if name in SHORT:
            return self.get(SHORT[name], self.zero)
        assert "." in name, f"{name} is nothing that an expression knows"
        return self.zero


def _mixed(below, above, share):
    """Keymix: B itself where the mask is 0 or less, A itself where it is 1 or more."""
    between = above * share + below * (1 - share)
    return np.where(share <= 0, below, np.where(share < 1, between, above)).astype(np.float32)


def _merged(operation, below, above, alpha):
    return {
        "over": lambda: above + below * (1 - alpha),
        "plus": lambda: above + below,
        "minus": lambda: above - below,
    }[operation]()


def evaluated(text, variables):
    """Return the value of one of Nuke's expressions, for whole pictures at once."""
    words = [match[1] for match in TOKEN.finditer(text)]
    assert "".join(words) == text.replace(" ", ""), f"{text}: cannot be read whole"
    with np.errstate(divide="ignore", invalid="ignore"):
        value = _choice(words, variables)
    assert not words, f"{text}: {words} is left over"
    return np.asarray(value, np.float32)


def _choice(words, variables):
    value = _comparison(words, variables)
    if words[:1] != ["?"]:
        return value
    words.pop(0)
    yes = _choice(words, variables)
    assert words.pop(0) == ":"
    return np.where(value, yes, _choice(words, variables))


def _comparison(words, variables):
    left = _sum(words, variables)
    if words[:1] and words[0] in ("<=", ">=", "==", "<", ">"):
        operation = words.pop(0)
        right = _sum(words, variables)
        return {
            "<=": np.less_equal,
            ">=": np.greater_equal,
            "==": np.equal,
            "<": np.less,
            ">": np.greater,
        }[operation](left, right)
    return left


def _sum(words, variables):
    value = _product(words, variables)
    while words[:1] and words[0] in "+-":
        value = (
            value + _product(words, variables)
            if words.pop(0) == "+"
            else value - _product(words, variables)
        )
    return value


def _product(words, variables):
    value = _term(words, variables)
    while words[:1] and words[0] in "*/":
        value = (
            value * _term(words, variables)
            if words.pop(0) == "*"
            else value / _term(words, variables)
        )
    return value


def _term(words, variables):
    word = words.pop(0)
    if word == "(":
        value = _choice(words, variables)
        assert words.pop(0) == ")"
        return value
    if word == "clamp":
        return np.clip(_term(words, variables), 0, 1)
    return np.float32(word) if word[0].isdigit() else variables[word]


def from_exr(channels):
    """Return an EXR's channels by the names that Nuke gives them."""
    named = {}
    for name, plane in channels.items():
        layer, _, last = name.rpartition(".")
        named[f"{layer or 'rgba'}.{EXR.get(last, last)}"] = plane.astype(np.float32)
    return named
