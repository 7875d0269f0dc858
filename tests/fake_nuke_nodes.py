"""The nodes, knobs and small things of the strict Nuke that tests run host code under.

Nodes are read from the gizmo itself. What can be called has the name and the home that types-nuke
gives it, which a test proves.
"""

import functools
import inspect
import threading

from nk_reader import read


def on_main_thread(function):
    @functools.wraps(function)
    def checked(*args, **kwargs):
        if threading.current_thread() is not threading.main_thread():
            raise RuntimeError(f"{function.__qualname__}: not on the main thread")
        return function(*args, **kwargs)

    return checked


class Strict:
    """Methods that can be called on the main thread only."""

    def __init_subclass__(cls):
        for name, method in list(vars(cls).items()):
            if inspect.isfunction(method) and (not name.startswith("_") or name == "__getitem__"):
                setattr(cls, name, on_main_thread(method))


def _typed(text):
    """Return a knob's text in a script as the value that Nuke gives."""
    if text in ("true", "false"):
        return text == "true"
    try:
        return float(text) if "." in text else int(text)
    except ValueError:
        return text


class Knob(Strict):
    _takes = (int, float, str, bool)

    def __init__(self, node, name, value):
        self._node, self._name, self._value = node, name, value
        self._enabled, self._visible = True, True

    def name(self):
        return self._name

    def node(self):
        return self._node

    def value(self):
        return self._value

    def toScript(self):  # noqa: N802
        return str(self._value)

    def setValue(self, value):  # noqa: N802
        if not isinstance(value, self._takes):
            raise TypeError(f"{self._name}: {value!r}")
        changed, self._value = value != self._value, value
        if changed:
            self._node._fake.turned(self)

    def setEnabled(self, enabled):  # noqa: N802
        self._enabled = enabled

    def setVisible(self, visible):  # noqa: N802
        self._visible = visible


class String_Knob(Knob):  # noqa: N801
    _takes = (str,)


class Text_Knob(Knob):  # noqa: N801
    _takes = (str,)


class File_Knob(String_Knob):  # noqa: N801
    def getEvaluatedValue(self):  # noqa: N802
        return self._value or None


class Int_Knob(Knob):  # noqa: N801
    _takes = (int,)


class Double_Knob(Knob):  # noqa: N801
    _takes = (int, float)


class Boolean_Knob(Knob):  # noqa: N801
    _takes = (bool,)


class Enumeration_Knob(Knob):  # noqa: N801
    _takes = (str,)

    def __init__(self, node, name, values):
        super().__init__(node, name, values[0] if values else "")
        self._values = values

    def values(self):
        return list(self._values)

    def setValues(self, values):  # noqa: N802
        self._values = list(values)
        if self._value not in self._values:
            self._value = self._values[0] if self._values else ""

    def setValue(self, value):  # noqa: N802
        if value not in self._values:
            raise TypeError(f"{self._name}: {value!r} is not one of {self._values}")
        super().setValue(value)


class PyScript_Knob(Knob):  # noqa: N801
    _takes = (str,)

    def execute(self):
        if self._name == "reload":
            self._node._fake.reloads += 1
            return
        self._node._fake.press(self._node, self._name)


class Node(Strict):
    def __init__(self, fake, parsed, parent=None):
        self._fake, self._parsed, self._parent = fake, parsed, parent
        self._wires = {}
        self._knobs = {name: Knob(self, name, _typed(text)) for name, text in parsed.knobs.items()}
        if parsed.kind in ("Read", "Write"):
            self._knobs["file"] = File_Knob(self, "file", parsed.knobs.get("file", ""))
        if parsed.kind == "Read":
            rest = {"first": 1, "last": 1, "origfirst": 1, "origlast": 1, "origset": False}
            self._knobs |= {name: Knob(self, name, value) for name, value in rest.items()}
            self._knobs["reload"] = PyScript_Knob(self, "reload", "")

    def Class(self):  # noqa: N802
        return self._parsed.kind

    def name(self):
        return self._parsed.name

    def fullName(self):  # noqa: N802
        return f"{self._parent.fullName()}.{self.name()}" if self._parent else self.name()

    def knob(self, name):
        return self._knobs.get(name)

    def knobs(self):
        return dict(self._knobs)

    def __getitem__(self, name):
        if name not in self._knobs:
            raise NameError(f"knob {name} does not exist")
        return self._knobs[name]

    def inputs(self):
        return max(self._wires, default=-1) + 1

    def input(self, index):
        return self._wires.get(index)

    def setInput(self, index, node):  # noqa: N802
        self._wires[index] = node
        return True

    def dependencies(self, mask):
        assert mask
        return [node for node in self._wires.values() if node]

    def fileDependencies(self, start, end):  # noqa: N802
        assert start == end, "one frame is asked for at a time"
        above = [
            found for node in self._wires.values() for found in node.fileDependencies(start, end)
        ]
        file = self._knobs.get("file")
        own = [[self, [file.value().replace("####", f"{start:04d}")]]] if file else []
        return own + above

    def format(self):
        return Format(*self._fake.size)

    def frameRange(self):  # noqa: N802
        return FrameRange(f"{self._fake.first}-{self._fake.last}")


class Group(Node):
    def __init__(self, fake, parsed):
        super().__init__(fake, parsed)
        self._children = {child.name: Node(fake, child, self) for child in parsed.children}
        for knob in parsed.user:
            self._knobs[knob.name] = self._made(knob, parsed.knobs.get(knob.name))

    def _made(self, knob, text):
        if knob.kind == ENUMERATION:
            made = Enumeration_Knob(self, knob.name, knob.words["M"].split())
            if text:
                made.setValue(text)
            return made
        kind = KINDS.get(knob.kind, Knob)
        default = False if kind is Boolean_Knob else 0 if kind in (Int_Knob, Double_Knob) else ""
        if kind in (PyScript_Knob, Text_Knob):
            return kind(self, knob.name, knob.words.get("T", ""))
        if kind in (String_Knob, File_Knob):
            return kind(self, knob.name, text or "")
        return kind(self, knob.name, default if text is None else _typed(text))

    def node(self, name):
        return self._children.get(name)

    def nodes(self):
        return list(self._children.values())


class Root(Group):
    def __init__(self, fake):
        super().__init__(fake, read("Root {\n name root\n proxy false\n}").children[0])
        self._knobs["workingSpaceLUT"] = String_Knob(self, "workingSpaceLUT", "linear")
        self._knobs["colorManagement"] = String_Knob(self, "colorManagement", "Nuke")

    def firstFrame(self):  # noqa: N802
        return self._fake.first

    def lastFrame(self):  # noqa: N802
        return self._fake.last

    def fps(self):
        return 24


class Format(Strict):
    def __init__(self, width, height):
        self._size = width, height

    def width(self):
        return self._size[0]

    def height(self):
        return self._size[1]


class FrameRange(Strict):
    def __init__(self, text):
        self._ends = [int(end) for end in text.split("-")]

    def first(self):
        return self._ends[0]

    def last(self):
        return self._ends[-1]


class FrameRanges(Strict):
    def __init__(self, ranges):
        self._ranges = [FrameRange(text) for text in ranges]

    def toFrameList(self):  # noqa: N802
        return [f for run in self._ranges for f in range(run.first(), run.last() + 1)]


class ProgressTask(Strict):
    def __init__(self, name):
        self._name, self._cancelled, self._told = name, False, []

    def setProgress(self, percent):  # noqa: N802
        if type(percent) is not int or not 0 <= percent <= 100:
            raise TypeError(f"progress is {percent!r}")
        self._told.append(percent)

    def setMessage(self, text):  # noqa: N802
        if not isinstance(text, str):
            raise TypeError(text)
        self._told.append(text)

    def isCancelled(self):  # noqa: N802
        return self._cancelled


class Undo:
    """Only nested pairs of disable and enable leave Nuke's undo as it was."""

    _depth = 0

    @classmethod
    def disable(cls):
        cls._depth += 1

    @classmethod
    def enable(cls):
        assert cls._depth
        cls._depth -= 1


class Menu(Strict):
    def __init__(self):
        self._items = {}

    def addMenu(self, name):  # noqa: N802
        return self._items.setdefault(name, Menu())

    def addCommand(self, name, command):  # noqa: N802
        self._items[name] = command


KINDS = {
    1: String_Knob,
    2: File_Knob,
    3: Int_Knob,
    6: Boolean_Knob,
    7: Double_Knob,
    22: PyScript_Knob,
    26: Text_Knob,
    43: String_Knob,
}
ENUMERATION = 4
CLASSES = (Node, Group, Format, FrameRange, FrameRanges, ProgressTask, Undo, Menu, Root)
KNOBS = (*set(KINDS.values()), Knob, Enumeration_Knob)
