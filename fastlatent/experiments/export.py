"""Export of trained models as torch.export programs, which run without this package, and as safetensors."""

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
from ..train.run_dir import CONFIG, WEIGHTS, read_config
from ..utils.atomic import atomic_write
from .run import load_model

TRACED_EXAMPLES = 3  # batch size of the trace; programs accept any


def export(run_dir: Path, folder: Path) -> list[Path]:
    """Export the trained model of a run folder, without its data.

    The files are encoder.pt2 (if the model has an encoder) and decoder.pt2, the programs of `export_programs`; and
    config.yaml and model.safetensors, for `fastlatent.experiments.load_model`.

    Args:
        run_dir: run folder.
        folder: output folder, created if it does not exist; existing files of these names are replaced.

    Returns:
        Paths of the files.

    Raises:
        FileNotFoundError: if the run folder has no trained model.
        RunFormatError: if the run has another format.
        ValueError: if the model is not in `MODEL_CONFIGS`.
        OSError: if a file cannot be written.
    """
    model, shape = load_model(run_dir), read_config(run_dir)["shape"]
    x = torch.zeros(TRACED_EXAMPLES, *([len(shape)] if isinstance(model, TabularAutoencoder) else shape))
    folder.mkdir(parents=True, exist_ok=True)
    contents = {f"{name}.pt2": _serialize(program) for name, program in export_programs(model, x).items()}
    contents |= {name: (run_dir / name).read_bytes() for name in (CONFIG, WEIGHTS)}
    for name, content in contents.items():
        atomic_write(folder / name, partial(Path.write_bytes, data=content))
    return [folder / name for name in contents]


def export_programs(model: GenerativeModel, x: Tensor) -> dict[str, ExportedProgram]:
    """Export the encoder, from x (n, *shape) to codes (n, d), and the decoder, from codes to x̂, for any n.

    The programs consist of torch operators and the weights that they need, and compute as the model in evaluation mode,
    on its device.

    Args:
        model: trained model; its training mode and weights are unchanged.
        x: example batch (n, *shape), n ≥ 2; its values do not matter.

    Returns:
        The programs "encoder", if the model has one, and "decoder".
    """
    programs = {"decoder": _program(model, "decode", model.sample_latent(len(x)))}
    return {"encoder": _program(model, "encode", x), **programs} if isinstance(model, Autoencoder) else programs


class _MethodModule(nn.Module):
    """A module whose forward pass is a method of the model."""

    def __init__(self, model: GenerativeModel, method: str) -> None:
        super().__init__()
        self.model, self.method = model, method

    def forward(self, x: Tensor) -> Tensor:
        return getattr(self.model, self.method)(x)


def _program(model: GenerativeModel, method: str, x: Tensor) -> ExportedProgram:
    """Export a method as a program of torch operators, without unused weights."""
    module = _MethodModule(deepcopy(model).eval().requires_grad_(False), method)
    for name in _unused_weights(_trace(module, x)):
        owner, _, weight = name.rpartition(".")
        delattr(module.get_submodule(owner), weight)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=FutureWarning)  # raised inside torch
        return _trace(module, x).run_decompositions({torch.ops.fastlatent.nearest.default: reference.nearest})


def _trace(module: nn.Module, x: Tensor) -> ExportedProgram:
    return torch.export.export(module, (x,), dynamic_shapes=({0: Dim("n")},))


def _serialize(program: ExportedProgram) -> bytes:
    file = io.BytesIO()
    torch.export.save(program, file)
    return file.getvalue()


def _unused_weights(program: ExportedProgram) -> list[str]:
    """Return the names of the weights that no operator of the program reads."""
    weights = {**program.graph_signature.inputs_to_parameters, **program.graph_signature.inputs_to_buffers}
    inputs = program.graph.find_nodes(op="placeholder")
    return [weights[node.name] for node in inputs if node.name in weights and not node.users]
