"""A .tflite file as a torch module: no TensorFlow, no runtime of theirs."""

import torch

from lifemask.nodes.device import device
from lifemask.nodes.faces import weights
from lifemask.nodes.faces.graph import parse
from lifemask.nodes.faces.operators import build


class Network(torch.nn.Module):
    """The network of one file; takes and gives NHWC batches of any size."""

    def __init__(self, data: bytes) -> None:
        super().__init__()
        graph = parse(data)
        self._inputs, self._outputs = graph.inputs, graph.outputs
        self._steps = [(build(step, graph.constants), step) for step in graph.steps]
        wanted = {number for step in graph.steps for number in step.inputs}
        self._constants = sorted(wanted & graph.constants.keys())
        for number in self._constants:
            self.register_buffer(f"c{number}", torch.from_numpy(graph.constants[number].copy()))
        last = {number: at for at, step in enumerate(graph.steps) for number in step.inputs}
        kept = {*self._constants, *self._outputs}
        self._done = [
            [number for number, end in last.items() if end == at and number not in kept]
            for at in range(len(graph.steps))
        ]

    @torch.inference_mode()
    def forward(self, *inputs: torch.Tensor) -> list[torch.Tensor]:
        """Return the network's outputs in the order of the file."""
        values = dict(zip(self._constants, self.buffers(), strict=True))
        values.update(zip(self._inputs, inputs, strict=True))
        for (compute, step), done in zip(self._steps, self._done, strict=True):
            values[step.output] = compute(
                *(values[number] for number in step.inputs if number >= 0)
            )
            for number in done:
                del values[number]
        return [values[number] for number in self._outputs]


def load(name: str) -> Network:
    """Return the network of a shipped file on this machine's device, ready to compute."""
    return Network(weights.read(name)).eval().to(device())
