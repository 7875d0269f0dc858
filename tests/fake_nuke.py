"""A strict Nuke for tests: what Nuke does not have, or not on this thread, raises.

A Write copies the frames that stand for its input, and a background render does so later.
"""

import runpy
import shutil
import sys
import time
import types
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, SimpleQueue

from fake_nuke_nodes import CLASSES, KNOBS, Group, Menu, Node, Root, on_main_thread
from limit import LONG
from nk_reader import read

ANY_THREAD = {"executeInMainThread", "executeInMainThreadWithResult"}


class FakeNuke:
    """A Nuke that has one script; ``footage`` is the file, with ####, of what flows into nodes."""

    def __init__(self, gui=True):
        self.size, self.first, self.last = (240, 180), 1001, 1008
        self.footage, self.nodes, self.messages, self.answers = "", {}, [], []
        self.menus, self.plugin_path, self.renders, self.reloads = {}, [], [], 0
        self._queue, self._callbacks, self._here, self._knob = SimpleQueue(), {}, [], []
        self.root = Root(self)
        self.module = self._module(gui)

    def _module(self, gui):
        module = types.ModuleType("nuke")
        functions = {
            name.removeprefix("nuke_"): getattr(self, name)
            for name in dir(self)
            if name.startswith("nuke_")
        }
        for name, function in functions.items():
            checked = function if name in ANY_THREAD else on_main_thread(function)
            setattr(module, name, checked)
        for kind in (*CLASSES, *KNOBS):
            setattr(module, kind.__name__, kind)
        flags = {"INPUTS": 1, "HIDDEN_INPUTS": 2, "EXPRESSIONS": 4, "LINKINPUTS": 8}
        vars(module).update(flags, GUI=gui, EXE_PATH="/nuke", NUKE_VERSION_MAJOR=15)
        return module

    @contextmanager
    def here(self, node):
        """Let ``nuke.thisNode()`` be a node, as it is while one of its buttons runs."""
        self._here.append(node)
        try:
            yield
        finally:
            self._here.pop()

    def add(self, text, name):
        """Return a new node from the text of a gizmo or a script."""
        (parsed,) = read(text).children
        parsed.knobs["name"] = name
        node = (Group if parsed.kind == "Group" else Node)(self, parsed)
        self.nodes[name] = node
        self.call("OnCreate", node)
        return node

    def press(self, node, button):
        """Press a button of a node: its line runs."""
        with self.here(node):
            line = node[button].value()
            exec(compile(line, button, "exec"), {"nuke": self.module})

    def call(self, event, node=None, *args):
        """Call what was added for an event, as Nuke does."""
        for call, kind in self._callbacks.get(event, []):
            if kind in (None, "*", node and node.Class()):
                with self.here(node):
                    call(*args)

    def pump(self, until):
        """Run what was posted to the main thread until ``until()`` is true."""
        end = time.monotonic() + LONG
        while not until():
            if time.monotonic() > end:
                raise TimeoutError("nothing more was posted to the main thread")
            self._run_posted()
            for render in [render for render in self.renders if not render.get("done")]:
                self._render(render)

    def _run_posted(self):
        try:
            call, args, kwargs = self._queue.get(timeout=0.02)
        except Empty:
            return
        call(*args, **kwargs)

    def _render(self, render):
        """Do a background render's work: as the script was when it began."""
        render["done"] = True
        for file, frames in render["work"]:
            self._copy(file, frames)
        for call, _ in self._callbacks.get("AfterBackgroundRender", []):
            call({"id": render["id"]})

    def _copy(self, file, frames):
        for frame in frames:
            source, target = (text.replace("####", f"{frame:04d}") for text in (self.footage, file))
            if Path(source).is_file():
                Path(target).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(source, target)

    def _write(self, node, ranges):
        if node.Class() != "Write" or node["disable"].value() or not node["file"].value():
            raise RuntimeError(f"{node.fullName()}: nothing to render")
        if self.root["proxy"].value():
            raise RuntimeError("rendered at proxy size")
        return node["file"].value(), ranges.toFrameList()

    def nuke_execute(self, node, ranges, views):
        assert views == ["main"]
        self._copy(*self._write(node, ranges))

    def nuke_executeBackgroundNuke(self, exe, nodes, ranges, views, limits):  # noqa: N802
        assert (exe, views, limits) == ("/nuke", ["main"], {})
        work = [self._write(node, ranges) for node in nodes]
        self.renders.append({"id": len(self.renders) + 1, "work": work})
        return len(self.renders)

    def nuke_executeInMainThread(self, call, args=(), kwargs=None):  # noqa: N802
        if not isinstance(args, tuple):
            args = (args,)
        self._queue.put((call, args, kwargs or {}))

    def nuke_executeInMainThreadWithResult(self, call, args=(), kwargs=None):  # noqa: N802
        raise RuntimeError("this waits, and on the main thread it waits forever")

    def nuke_addOnCreate(self, call, args=(), kwargs=None, nodeClass=None):  # noqa: N802, N803
        self._callbacks.setdefault("OnCreate", []).append((call, nodeClass))

    def turned(self, knob):
        """Call what hears of knobs: for an artist's hand and for ours."""
        self._knob.append(knob)
        self.call("KnobChanged", knob.node())
        self._knob.pop()

    def nuke_addKnobChanged(self, call, args=(), kwargs=None, nodeClass="*", node=None):  # noqa: N802, N803
        self._callbacks.setdefault("KnobChanged", []).append((call, nodeClass))

    def nuke_thisKnob(self):  # noqa: N802
        return self._knob[-1]

    def nuke_addOnDestroy(self, call, args=(), kwargs=None, nodeClass=None):  # noqa: N802, N803
        self._callbacks.setdefault("OnDestroy", []).append((call, nodeClass))

    def nuke_addOnScriptClose(self, call, args=(), kwargs=None, nodeClass=None):  # noqa: N802, N803
        self._callbacks.setdefault("OnScriptClose", []).append((call, nodeClass))

    def nuke_addAfterBackgroundRender(self, call, args=(), kwargs=None):  # noqa: N802
        self._callbacks.setdefault("AfterBackgroundRender", []).append((call, None))

    def nuke_pluginAddPath(self, path, addToSysPath=True):  # noqa: N802, N803
        self.plugin_path.insert(0, path)
        if addToSysPath:
            sys.path.insert(0, path)

    def nuke_thisNode(self):  # noqa: N802
        return self._here[-1]

    def nuke_toNode(self, name):  # noqa: N802
        return self.nodes.get(name)

    def nuke_allNodes(self, kind=None, group=None):  # noqa: N802
        assert group is self.root, "which nodes these are depends on where the code runs"
        return [node for node in self.nodes.values() if kind in (None, node.Class())]

    def nuke_root(self):
        return self.root

    def nuke_frame(self):
        return self.first + 1

    def nuke_views(self):
        return ["main"]

    def nuke_tprint(self, text):
        self.messages.append(text)

    def nuke_getInput(self, prompt, default=""):  # noqa: N802
        return self.answers.pop() if self.answers else default

    def nuke_menu(self, name):
        return self.menus.setdefault(name, Menu())

    def nuke_message(self, text):
        self.messages.append(text)


@contextmanager
def running(folder):
    """Give a function that starts a Nuke with ``folder`` on its plug-in path; end them all."""
    before = set(sys.modules)

    def start(gui=True):
        fake = FakeNuke(gui)
        sys.modules["nuke"] = fake.module
        runpy.run_path(str(folder / "init.py"))
        return fake

    try:
        yield start
    finally:
        session = sys.modules.get("lifemask_nuke.hosts.nuke.session")
        if session:
            session.close()
        for name in set(sys.modules) - before:
            if name.startswith("lifemask_nuke"):
                del sys.modules[name]
        sys.modules.pop("nuke", None)
