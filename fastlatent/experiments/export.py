"""Export: a trained model as programs that run without this package, and as weights that load without unpickling."""

import io
import warnings
from copy import deepcopy
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.export import Dim, ExportedProgram

from ..kernels.pairwise import reference
from ..models import Autoencoder, GenerativeModel, TabularAutoencoder
from ..train.run_dir import CONFIG, WEIGHTS, atomic_write, read_config
from .run import load_model

TRACED = 3  # examples in the batch that is traced; programs take any number


def export(run: Path, folder: Path) -> list[Path]:
    """Export the trained model of a run folder, without its data.

    Written are encoder.pt2 (if the model has an encoder) and decoder.pt2, as `programs` makes them; and config.yaml and
    model.safetensors, from which `fastlatent.experiments.load_model` gives the model.

    Args:
        run: a run folder.
        folder: where to; made if it is not there, files of these names in it are replaced.

    Returns:
        The files.

    Raises:
        FileNotFoundError: if there is no trained model in `run`.
        ValueError: if its model was built by hand.
        OSError: if a file cannot be written.
    """
    model, shape = load_model(run), read_config(run)["shape"]
    x = torch.zeros(TRACED, *([len(shape)] if isinstance(model, TabularAutoencoder) else shape))
    folder.mkdir(parents=True, exist_ok=True)
    contents = {f"{name}.pt2": _saved(program) for name, program in programs(model, x).items()}
    contents |= {name: (run / name).read_bytes() for name in (CONFIG, WEIGHTS)}
    for name, content in contents.items():
        atomic_write(folder / name, partial(Path.write_bytes, data=content))
    return [folder / name for name in contents]


def programs(model: GenerativeModel, x: Tensor) -> dict[str, ExportedProgram]:
    """ "encoder", from x (n, *shape) to codes (n, d), if the model has one, and "decoder", from codes to x̂, for any n.

    They hold nothing but torch's own operators and the weights that they need, and compute as the model does when it is
    evaluated, on its device.

    Args:
        model: trained; its training mode and weights are left as they are.
        x: (n, *shape), n ≥ 2, a batch like those the encoder will get; its values do not matter.
    """
    made = {"decoder": _program(model, "decode", model.sample_latent(len(x)))}
    return {"encoder": _program(model, "encode", x), **made} if isinstance(model, Autoencoder) else made


class _Part(nn.Module):
    """A method of the model as a module of its own."""

    def __init__(self, model: GenerativeModel, method: str) -> None:
        super().__init__()
        self.model, self.method = model, method

    def forward(self, x: Tensor) -> Tensor:
        return getattr(self.model, self.method)(x)


def _program(model: GenerativeModel, method: str, x: Tensor) -> ExportedProgram:
    """The method as a program of torch's operators, without the weights that it does not need."""
    part = _Part(deepcopy(model).eval().requires_grad_(False), method)
    for name in _unused(_traced(part, x)):
        owner, _, weight = name.rpartition(".")
        delattr(part.get_submodule(owner), weight)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=FutureWarning)  # torch's, of a part of its own
        return _traced(part, x).run_decompositions({torch.ops.fastlatent.nearest.default: reference.nearest})


def _traced(part: nn.Module, x: Tensor) -> ExportedProgram:
    return torch.export.export(part, (x,), dynamic_shapes=({0: Dim("n")},))


def _saved(program: ExportedProgram) -> bytes:
    file = io.BytesIO()
    torch.export.save(program, file)
    return file.getvalue()


def _unused(program: ExportedProgram) -> list[str]:
    """The names of the weights that no step of the program reads."""
    weights = {**program.graph_signature.inputs_to_parameters, **program.graph_signature.inputs_to_buffers}
    inputs = program.graph.find_nodes(op="placeholder")
    return [weights[node.name] for node in inputs if node.name in weights and not node.users]
