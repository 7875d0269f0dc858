"""A .tflite file as plain data: constants, and steps that compute one tensor from others.

Field positions are those of TensorFlow Lite's schema (tensorflow/lite/schema/schema.fbs, v3).
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lifemask.nodes.errors import BrokenFileError
from lifemask.nodes.faces.flatbuffer import Table
from lifemask.nodes.faces.sparse import densify

if TYPE_CHECKING:
    from numpy.typing import NDArray

OPERATORS = {
    0: "add",
    2: "concat",
    3: "conv",
    4: "depthwise",
    5: "depth_to_space",
    6: "dequantize",
    14: "sigmoid",
    17: "max_pool",
    18: "mul",
    19: "relu",
    22: "reshape",
    23: "resize",
    34: "pad",
    39: "transpose",
    40: "mean",
    41: "sub",
    42: "div",
    45: "slice",
    54: "prelu",
    59: "neg",
    74: "sum",
    75: "sqrt",
    76: "rsqrt",
    99: "squared_difference",
    124: "densify",
}
_NUMPY = {0: "<f4", 1: "<f2", 2: "<i4", 3: "u1", 4: "<i8", 6: "?", 9: "i1"}


@dataclass(frozen=True)
class Step:
    """One operator: its name, tensor numbers, options as in the schema, shape of its result."""

    name: str
    inputs: tuple[int, ...]
    output: int
    options: Table | None
    shape: tuple[int, ...]

    def option(self, slot: int, kind: str = "i", default: int = 0) -> int:
        """Return one option; ``kind`` is its letter in the struct module."""
        return self.options.number(slot, kind, default) if self.options else default


@dataclass(frozen=True)
class Graph:
    """A network: numbers of the tensors that go in and out, constants by number, and the steps."""

    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    constants: "dict[int, NDArray[Any]]"
    steps: tuple[Step, ...]


def parse(data: bytes) -> Graph:
    """Return the network that a .tflite file holds; floats become float32, integers int64.

    Raises BrokenFileError when an operator is not one of ours.
    """
    model = Table.root(data)
    codes = [code.number(3) or code.number(0, "b") for code in model.tables(1)]
    graph, buffers = model.tables(2)[0], model.tables(4)
    tensors = graph.tables(0)
    constants = _constants(tensors, buffers)
    steps = []
    for operator in graph.tables(3):
        code = codes[operator.number(0, "I")]
        inputs, outputs = operator.integers(1), operator.integers(2)
        name = OPERATORS.get(code)
        if name is None:
            raise BrokenFileError(f"network: TensorFlow Lite operator {code} is not one of ours")
        if name in ("dequantize", "densify"):
            # Constants were widened and filled in when they were read.
            constants[outputs[0]] = constants[inputs[0]]
            continue
        shape = tuple(tensors[outputs[0]].integers(0))
        steps.append(Step(name, tuple(inputs), outputs[0], operator.table(4), shape))
    return Graph(tuple(graph.integers(1)), tuple(graph.integers(2)), constants, tuple(steps))


def _constants(tensors: list[Table], buffers: list[Table]) -> "dict[int, NDArray[Any]]":
    """Return every tensor that has data in the file."""
    constants = {}
    for number, tensor in enumerate(tensors):
        raw = buffers[tensor.number(2, "I")].vector(0, "u1")
        if raw.size:
            values = raw.view(_NUMPY[tensor.number(1, "b")])
            shape, sparsity = tensor.integers(0), tensor.table(6)
            whole = densify(sparsity, shape, values) if sparsity else values.reshape(shape)
            constants[number] = whole.astype("f4" if whole.dtype.kind == "f" else "i8")
    return constants
