"""A device that does not wait for the host: draws made ahead of it, and steps recorded once and replayed.

Both do nothing on a CPU, where there is nobody to run ahead of.
"""

import warnings
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

import torch

Tensors = dict[str, torch.Tensor]
Step = Callable[[Tensors], Tensors]

WARM_UP = 3  # steps before one is recorded: libraries choose their algorithms, allocators find their sizes
DEPTH = 4  # steps that are drawn ahead


@contextmanager
def on_stream(device: str) -> Iterator[None]:
    """A stream of a GPU of one's own: what PyTorch begins on cannot be recorded."""
    if torch.device(device).type != "cuda":
        yield
        return
    before, own = torch.cuda.current_stream(device), torch.cuda.Stream(device)
    own.wait_stream(before)
    with torch.cuda.stream(own):
        yield
    before.wait_stream(own)


def ahead(steps: Iterable[Tensors], device: str) -> Iterator[Tensors]:
    """The same steps' tensors, on the device; on a GPU drawn and moved while earlier steps are still computed."""
    moved = (({k: v.to(device) for k, v in step.items()}) for step in steps)
    if torch.device(device).type != "cuda":
        yield from moved
        return
    pinned = ({k: v.pin_memory() for k, v in step.items()} for step in steps)
    with ThreadPoolExecutor(1) as thread:
        waiting: list[Future[Tensors | None]] = [thread.submit(next, pinned, None) for _ in range(DEPTH)]
        while (step := waiting.pop(0).result()) is not None:
            waiting.append(thread.submit(next, pinned, None))
            yield {k: v.to(device, non_blocking=True) for k, v in step.items()}


class Replayed:
    """`step` as a CUDA graph: run as it is `WARM_UP` times, then recorded, then replayed with each step's tensors.

    What a step leaves lies where it lay the step before. A step that cannot be recorded goes on as it is, with a
    warning; `why_not` says why. The whole training is to run inside `on_stream`.
    """

    def __init__(self, step: Step, device: str, graph: bool = True) -> None:
        self.step, self.calls, self.why_not = step, 0, "" if graph else "not asked for"
        self.cuda = torch.device(device).type == "cuda"
        self.graph: torch.cuda.CUDAGraph | None = None
        self.inputs: Tensors = {}
        self.outputs: Tensors = {}

    def __call__(self, tensors: Tensors) -> Tensors:
        self.calls += 1
        if not self.cuda or self.why_not or self.calls <= WARM_UP:
            return self.step(tensors)
        if self.graph is None:
            self._record(tensors)
        if self.graph is None:
            return self.step(tensors)
        for name, value in tensors.items():
            self.inputs[name].copy_(value)
        self.graph.replay()
        return self.outputs

    def _record(self, tensors: Tensors) -> None:
        self.inputs = {name: value.clone() for name, value in tensors.items()}
        graph = torch.cuda.CUDAGraph()
        try:
            # thread_local: the thread that draws ahead may pin memory meanwhile
            with torch.cuda.graph(graph, stream=torch.cuda.current_stream(), capture_error_mode="thread_local"):
                self.outputs = self.step(self.inputs)
            self.graph = graph
        except RuntimeError as error:
            self.why_not = str(error).splitlines()[0]
            warnings.warn(f"a training goes on without a CUDA graph: {self.why_not}", stacklevel=3)
