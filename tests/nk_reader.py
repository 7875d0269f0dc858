"""Reads Nuke's scripts: words as Tcl splits them, wires by Nuke's stack. Runs nothing."""

import re
from dataclasses import dataclass, field

PLAIN = re.compile(r"(?:\\.|[^\s;\\])+", re.DOTALL)
ESCAPE = re.compile(r"\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|\n[ \t]*|.)", re.DOTALL)
LETTERS = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}
FLAG = re.compile(r"[+-][A-Z]+")


class ScriptError(ValueError):
    """The text is not a script; the line is named."""


@dataclass
class UserKnob:
    """A knob that an ``addUserKnob`` line adds."""

    kind: int
    name: str
    words: dict[str, str] = field(default_factory=dict)
    flags: set[str] = field(default_factory=set)


@dataclass
class Node:
    """A node with its knobs as text, and what it is wired to: B first."""

    kind: str
    line: int = 0
    knobs: dict[str, str] = field(default_factory=dict)
    user: list[UserKnob] = field(default_factory=list)
    inputs: list["Node | None"] = field(default_factory=list)
    children: list["Node"] = field(default_factory=list)
    layers: dict[str, list[str]] = field(default_factory=dict)

    @property
    def name(self):
        return self.knobs.get("name", self.kind)

    def child(self, name):
        """Return the node inside that has this name; raises ScriptError."""
        found = [node for node in self.children if node.name == name]
        if len(found) != 1:
            raise ScriptError(f"{self.name}: {len(found)} nodes are named {name}")
        return found[0]

    def user_knob(self, name):
        return next(knob for knob in self.user if knob.name == name)


def read(text):
    """Return the script as a node whose children are the script's."""
    script = _Script()
    for line, words in commands(text):
        script.take(line, words)
    if len(script.groups) > 1:
        raise ScriptError(f"{script.groups[-1].name}: end_group is missing")
    return script.groups[0]


class _Script:
    """A script while it is read: the groups that are open, a stack for each, and what was set."""

    def __init__(self):
        self.groups, self.stacks, self.names = [Node("Root")], [[]], {}

    def take(self, line, words):
        if words[0] in ("end_group", "add_layer", "set", "push"):
            getattr(self, f"_{words[0]}")(line, *words[1:])
        elif words[0] not in ("version", "define_window_layout_xml"):
            self._place(_node(line, words))

    def _end_group(self, line):
        if len(self.groups) == 1:
            raise ScriptError(f"line {line}: end_group without a group")
        self.groups.pop()
        self.stacks.pop()

    def _add_layer(self, line, text):
        layer, *channels = plain_words(text)
        self.groups[-1].layers[layer] = channels

    def _set(self, line, name, word):
        depth = re.fullmatch(r"\[stack (\d+)\]", word)
        if not depth or int(depth[1]) >= len(self.stacks[-1]):
            raise ScriptError(f"line {line}: nothing on the stack at {word}")
        self.names[name] = self.stacks[-1][-1 - int(depth[1])]

    def _push(self, line, word):
        if word != "0" and word.lstrip("$") not in self.names:
            raise ScriptError(f"line {line}: {word} was never set")
        self.stacks[-1].append(None if word == "0" else self.names[word.lstrip("$")])

    def _place(self, node):
        """Wire a node to what it takes off the stack; a group's own nodes have another stack."""
        stack, default = self.stacks[-1], "0" if node.kind in ("Input", "Root", "Read") else "1"
        for _ in range(int(node.knobs.get("inputs", default))):
            node.inputs.append(stack.pop() if stack else None)
        stack.append(node)
        self.groups[-1].children.append(node)
        if node.kind in ("Group", "Gizmo"):
            self.groups.append(node)
            self.stacks.append([])


def _node(line, words):
    if len(words) != 2:
        raise ScriptError(f"line {line}: {' '.join(words[:3])} is no node")
    node = Node(words[0], line)
    for at, knob in commands(words[1]):
        if knob[0] == "addUserKnob":
            node.user.append(_user_knob(plain_words(knob[1]), line + at))
        else:
            node.knobs[knob[0]] = " ".join(knob[1:])
    return node


def _user_knob(words, line):
    kind, *rest = words
    if not kind.isdigit():
        raise ScriptError(f"line {line}: {kind} is no kind of knob")
    knob = UserKnob(int(kind), rest.pop(0) if rest else "")
    while rest:
        word = rest.pop(0)
        if FLAG.fullmatch(word):
            knob.flags.add(word)
        elif word == "R":
            knob.words["R"] = f"{rest.pop(0)} {rest.pop(0)}"
        else:
            knob.words[word] = rest.pop(0)
    return knob


def plain_words(text):
    """Return all words of a braced text."""
    return [word for _, words in commands(text) for word in words]


def commands(text):
    """Yield line and words of each command; what stands in braces stays as it is."""
    words, start, place = [], 1, 0
    while place < len(text):
        char = text[place]
        if char in "\n;":
            if words:
                yield start, words
            words, place = [], place + 1
        elif char.isspace() or text.startswith("\\\n", place):
            place += 1 if char.isspace() else 2
        elif char == "#" and not words:
            place = _end(text, "\n", place)
        else:
            start = start if words else text.count("\n", 0, place) + 1
            word, place = _word(text, place)
            words.append(word)
    if words:
        yield start, words


def _word(text, place):
    if text[place] == "{":
        end = _closing(text, place)
        return text[place + 1 : end - 1], end
    if text[place] == '"':
        end = _end(text, '"', place + 1)
        return _unescaped(text[place + 1 : end]), end + 1
    if text[place] == "[":
        end = _end(text, "]", place) + 1
        return text[place:end], end
    match = PLAIN.match(text, place)
    return _unescaped(match[0]), match.end()


def _end(text, char, place):
    """Return where ``char`` stands next, not counting one behind a backslash."""
    while place < len(text) and text[place] != char:
        place += 2 if text[place] == "\\" else 1
    if place >= len(text) and char != "\n":
        raise ScriptError(f"line {text.count(chr(10)) + 1}: {char} is missing")
    return place


def _closing(text, place):
    """Return the place after the brace that closes the one at ``place``."""
    line, depth = text.count("\n", 0, place) + 1, 0
    while place < len(text):
        depth += (text[place] == "{") - (text[place] == "}")
        place += 2 if text[place] == "\\" else 1
        if not depth:
            return place
    raise ScriptError(f"line {line}: }} is missing")


def _unescaped(text):
    def character(match):
        found = match[1]
        if found[0] in "xu" and len(found) > 1:
            return chr(int(found[1:], 16))
        return " " if found[0] == "\n" else LETTERS.get(found, found)

    return ESCAPE.sub(character, text)
