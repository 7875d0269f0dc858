"""The nodes inside the Swap gizmo: Nuke's own, so that every fix is live.

With P the plate, C the comp in the result's file, and fix = add - remove:

    now  = clamp(occlusion + fix)                                   occlusion, with the fixes
    keep = (1 - now) / (1 - occlusion), 1 without a fix, 0 where the result is the plate
    new  = facematte * (occlusion - now) / (1 - facematte * (1 - occlusion))  where now < occlusion
    comp = mix(mix(P, C, keep), raw, new)

so that without a fix every pixel is the file's own, and with one, away from the blended border,
comp = P * (1 - m) + raw * m with m = facematte * (1 - now). Keymix gives B itself where its mask is
0 and A itself where it is 1: nothing is rounded. A frame that is not there is black in all layers,
and then comp is P.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class GraphNode:
    """One node: its ``inputs`` by name, B before A before the mask, and the knobs that differ."""

    kind: str
    name: str
    inputs: tuple[str, ...] = ()
    knobs: Mapping[str, str] = field(default_factory=dict)
    at: tuple[int, int] = (0, 0)


LAYERS = {
    "facematte": ("V",),
    "occlusion": ("V",),
    "confidence": ("V",),
    "swap": ("red", "green", "blue", "alpha"),
    "raw": ("red", "green", "blue"),
    "stmap": ("U", "V", "alpha"),
    "lifemask": ("keep", "new"),
}
"""The layers as Nuke names them; `lifemask` lives inside only."""

INPUTS = ("plate", "add_occlusion", "remove_occlusion", "paint")

KEEP = (
    "swap.alpha<=0?0:(fix==0?1:(now>=1?0:(now>occlusion.V?(1-now)/(1-occlusion.V):1)))",
    "now<occlusion.V?facematte.V*(occlusion.V-now)/(1-facematte.V*(1-occlusion.V)):0",
    "facematte.V*(1-now)",
    "now",
)


def _write(name: str, of: str, channels: str, at: tuple[int, int]) -> GraphNode:
    """Where an input goes to disk; disabled, so that a render of the whole script leaves it out."""
    knobs = {
        "file_type": "exr",
        "channels": channels,
        "datatype": "32 bit float",
        "compression": "Zip (1 scanline)",
        "metadata": "all metadata",
        "raw": "true",
        "create_directories": "true",
        "disable": "true",
    }
    return GraphNode("Write", name, (of,), knobs, at)


def _copies(*pairs: tuple[str, str]) -> dict[str, str]:
    """The knobs of a Copy node that copies channels, one for one."""
    named = {f"from{i}": source for i, (source, _) in enumerate(pairs)}
    named |= {f"to{i}": target for i, (_, target) in enumerate(pairs)}
    return {**dict(sorted(named.items())), "bbox": "B"}


def _rgba(layer: str, into: str) -> tuple[tuple[str, str], ...]:
    names = LAYERS.get(layer) or LAYERS[into]
    return tuple((f"{layer}.{name}", f"{into}.{name}") for name in names)


RGB = {"Achannels": "rgb", "Bchannels": "rgb", "output": "rgb", "bbox": "B"}

GRAPH = (
    *(
        GraphNode("Input", name, knobs={"number": str(i)} if i else {}, at=(x, -300))
        for i, (name, x) in enumerate(zip(INPUTS, (0, -880, -770, 330), strict=True))
    ),
    _write("write_plate", "plate", "rgba", (110, -240)),
    _write("write_add", "add_occlusion", "alpha", (-990, -240)),
    _write("write_remove", "remove_occlusion", "alpha", (-660, -240)),
    _write("write_paint", "paint", "rgba", (440, -240)),
    GraphNode(
        "Read",
        "result",
        knobs={
            "file_type": "exr",
            "file": "",
            "localizationPolicy": "off",
            "before": "black",
            "after": "black",
            "on_error": "black",
            "raw": "true",
            "label": "frames that are not made yet are black:\nwithout mattes, the plate shows",
        },
        at=(-440, -300),
    ),
    GraphNode(
        "Copy", "added", ("result", "add_occlusion"), _copies(("rgba.alpha", "rgba.red")), (-880, 0)
    ),
    GraphNode(
        "Copy",
        "removed",
        ("added", "remove_occlusion"),
        _copies(("rgba.alpha", "rgba.green")),
        (-770, 60),
    ),
    GraphNode(
        "Expression",
        "mattes",
        ("removed",),
        {
            "temp_name0": "fix",
            "temp_expr0": "r-g",
            "temp_name1": "now",
            "temp_expr1": "clamp(occlusion.V+fix)",
            **{f"expr{i}": text for i, text in enumerate(KEEP)},
            "label": "red: what stays of the result's comp\ngreen: what comes in of raw\n"
            "blue: face matte with the fixes\nalpha: occlusion with the fixes",
        },
        (-770, 120),
    ),
    GraphNode("Copy", "generated", ("result", "result"), _copies(*_rgba("raw", "rgba")), (-220, 0)),
    GraphNode(
        "Grade",
        "face_grade",
        ("generated",),
        {"black_clamp": "false", "white_clamp": "false"},
        (-330, 120),
    ),
    GraphNode(
        "Merge2", "change", ("generated", "face_grade"), {"operation": "minus", **RGB}, (-220, 180)
    ),
    GraphNode(
        "Copy",
        "change_matte",
        ("change", "mattes"),
        _copies(("rgba.blue", "rgba.alpha")),
        (-220, 240),
    ),
    GraphNode("Premult", "change_inside", ("change_matte",), at=(-220, 300)),
    GraphNode(
        "Keymix",
        "kept",
        ("plate", "result", "mattes"),
        {"channels": "rgb", "maskChannel": "rgba.red", "bbox": "B"},
        (0, 120),
    ),
    GraphNode(
        "Keymix",
        "uncovered",
        ("kept", "generated", "mattes"),
        {"channels": "rgb", "maskChannel": "rgba.green", "bbox": "B"},
        (0, 180),
    ),
    GraphNode(
        "Merge2", "graded", ("uncovered", "change_inside"), {"operation": "plus", **RGB}, (0, 300)
    ),
    GraphNode(
        "Merge2",
        "painted",
        ("graded", "paint"),
        {
            "operation": "over",
            "Achannels": "rgba",
            "Bchannels": "rgba",
            "output": "rgb",
            "bbox": "B",
        },
        (0, 360),
    ),
    GraphNode(
        "Copy",
        "shares",
        ("result", "mattes"),
        _copies(("rgba.red", "lifemask.keep"), ("rgba.green", "lifemask.new")),
        (-550, 180),
    ),
    GraphNode(
        "Expression",
        "swap_kept",
        ("shares",),
        {
            **{
                f"expr{i}": f"swap.{name}*lifemask.keep*(1-lifemask.new)+raw.{name}*lifemask.new"
                for i, name in enumerate(LAYERS["raw"])
            },
            "expr3": "swap.alpha*lifemask.keep*(1-lifemask.new)+lifemask.new",
        },
        (-550, 240),
    ),
    GraphNode(
        "Merge2",
        "swap_graded",
        ("swap_kept", "change_inside"),
        {"operation": "plus", **RGB},
        (-550, 300),
    ),
    GraphNode(
        "Copy",
        "swap_layer",
        ("result", "swap_graded"),
        _copies(*_rgba("rgba", "swap")),
        (-440, 360),
    ),
    GraphNode(
        "Copy",
        "occlusion_layer",
        ("swap_layer", "mattes"),
        _copies(("rgba.alpha", "occlusion.V")),
        (-440, 420),
    ),
    GraphNode("Remove", "layers", ("occlusion_layer",), {"channels": "rgba"}, (-440, 480)),
    GraphNode(
        "Copy",
        "with_layers",
        ("painted", "layers"),
        {"from0": "none", "to0": "none", "channels": "all", "bbox": "B", "metainput": "All"},
        (0, 480),
    ),
    GraphNode("Switch", "made", ("plate", "with_layers"), {"which": "{{parent.made}}"}, (0, 540)),
    GraphNode("Output", "Output1", ("made",), at=(0, 600)),
)


def written(graph: tuple[GraphNode, ...]) -> str:
    """Return the nodes as Nuke's script: each input is pushed, so that wires go by name."""
    layers = [f" add_layer {{{name} {_channels(name)}}}" for name in LAYERS]
    return "\n".join([*layers, *(line for node in graph for line in _lines(node))])


def _channels(layer: str) -> str:
    return " ".join(f"{layer}.{channel}" for channel in LAYERS[layer])


def _lines(node: GraphNode) -> list[str]:
    # The first input is the one on top of the stack.
    pushed = [f"push $N_{name}" for name in reversed(node.inputs)]
    count = [f"  inputs {len(node.inputs)}"] if len(node.inputs) != 1 else []
    knobs = [f"  {name} {_value(value)}" for name, value in node.knobs.items()]
    place = [f"  name {node.name}", f"  xpos {node.at[0]}", f"  ypos {node.at[1]}"]
    kept = [f"set N_{node.name} [stack 0]"]
    return [*pushed, f" {node.kind} {{", *count, *knobs, *place, " }", *kept]


def _value(value: str) -> str:
    """A knob's value: an expression in its braces, a bare word, or a text."""
    if value.startswith("{"):
        return value
    return value if value and not set(value) & set(' "\\[]$;\n') else quoted(value)


def quoted(text: str) -> str:
    """Return a text as a word of Nuke's scripts."""
    for char in '\\"[]{}$':
        text = text.replace(char, "\\" + char)
    return '"' + text.replace("\n", "\\n") + '"'
