"""Batches spread over ranks: values and gradients, averaged over the ranks, are those of one process."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from torch import Tensor

from fastlatent import nn as losses
from fastlatent.data import Batch
from fastlatent.models import ACAI, MODEL_CONFIGS, WAE, GenerativeModel, LogPenalty, StandardNormalPenalty
from fastlatent.models.base.data_parallel import DataParallelContext
from fastlatent.priors import Normal

RANKS, EACH, D = 2, 6, 3
SHAPES = {"images": (1, 2, 4), "point clouds": (8, 3), "rows": (0, 3, 0)}


class NeighborsOfARank(ACAI):
    """ACAI in one process, each x₁ interpolated with the neighbor that it has when the batch is spread."""

    def interpolate(self, z: Tensor, alpha: Tensor) -> Tensor:
        if not self.training:
            return super().interpolate(z, alpha)
        neighbors = z.unflatten(0, (RANKS, -1)).roll(1, 1).flatten(0, 1)
        return self.decode(torch.lerp(neighbors, z, alpha))


def with_neighbors_of_a_rank(model: GenerativeModel) -> None:
    """Make a model of one process interpolate as ranks do, if it is one that interpolates."""
    if isinstance(model, ACAI):
        model.__class__ = NeighborsOfARank


PENALTIES = {
    "MMD unbiased": losses.MMDIMQ(),
    "MMD biased": losses.MMDIMQ(estimator="biased"),
    "MMD block": losses.MMDIMQ(estimator="block"),
    "sliced": losses.SlicedWasserstein(),
    "sliced normal": StandardNormalPenalty(losses.SlicedWassersteinNormal()),
    "Cramér–Wold": losses.CramerWold(),
    "Cramér–Wold normal": StandardNormalPenalty(losses.CramerWoldNormal()),
    "log Cramér–Wold": LogPenalty(losses.CramerWold()),
    "Fréchet": losses.FrechetDistance(),
    "Fréchet normal": StandardNormalPenalty(losses.FrechetDistanceNormal()),
    "Epps–Pulley": StandardNormalPenalty(losses.EppsPulley()),
}


MODELS = (*PENALTIES, *MODEL_CONFIGS)


def linear_wae(penalty: Callable[[Tensor, Tensor], Tensor]) -> WAE:
    encoder = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(8, D))
    decoder = torch.nn.Sequential(torch.nn.Linear(D, 8), torch.nn.Unflatten(1, SHAPES["images"]))
    return WAE(encoder, decoder, penalty, Normal(D), weight=3.0)


def build(name: str, single_process: bool) -> GenerativeModel:
    """A small model in float64, with the same weights at every call."""
    torch.manual_seed(1)
    if name in PENALTIES:
        model: GenerativeModel = linear_wae(PENALTIES[name])
    else:
        made = MODEL_CONFIGS[name]
        hidden = {"hidden": (16,)} if name != "aae3d" else {"hidden": (16,), "features": (16,)}
        model = made(**hidden).build(SHAPES[made.takes])  # type: ignore[call-arg]
    if single_process:
        with_neighbors_of_a_rank(model)
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm1d):
            module.eval()  # in training each rank has moments of its own
    return model.double()


def batch(name: str) -> Batch:
    takes = "images" if name in PENALTIES else MODEL_CONFIGS[name].takes
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(RANKS * EACH) % 4 - 1  # some are not known, not as many on each rank
    if takes == "rows":
        return Batch(torch.randint(3, (RANKS * EACH, 3), generator=generator).double(), labels)
    return Batch(torch.rand(RANKS * EACH, *SHAPES[takes], dtype=torch.float64, generator=generator), labels)


def computed(name: str, group: dist.ProcessGroup | None = None) -> dict[str, list[Tensor]]:
    """Of each phase the terms and the gradients; and the buffers after all phases."""
    model, context = build(name, group is None), DataParallelContext(group)
    x, labels = batch(name)
    part = context.local_slice(len(x))
    found = {}
    for phase in model.phases():
        terms = phase.loss(Batch(x[part], labels[part]), context)
        gradients = torch.autograd.grad(terms["loss"], phase.parameters)
        found[phase.name] = [*(term.detach() for term in terms.values()), *gradients]
    return {**found, "buffers": [buffer for buffer in model.buffers() if buffer.is_floating_point()]}


def rank_main(rank: int, folder: str) -> None:
    """What each process does: every model, its part of the batch."""
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{folder}/store", rank=rank, world_size=RANKS)
    torch.save({name: computed(name, dist.group.WORLD) for name in MODELS}, f"{folder}/{rank}.pt")
    dist.destroy_process_group()


@pytest.fixture(scope="module")
def ranks(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, dict[str, list[Tensor]]]]:
    folder: Path = tmp_path_factory.mktemp("ranks")
    mp.spawn(rank_main, args=(str(folder),), nprocs=RANKS)
    return [torch.load(folder / f"{rank}.pt") for rank in range(RANKS)]


@pytest.mark.parametrize("name", MODELS)
def test_the_average_over_ranks_is_one_process_with_the_whole_batch(ranks, name):
    for part, expected in computed(name).items():
        averages = [sum(values) / RANKS for values in zip(*(found[name][part] for found in ranks), strict=True)]
        torch.testing.assert_close(averages, expected, msg=lambda text, part=part: f"{part}: {text}")


def test_ranks_draw_different_numbers():
    torch.manual_seed(0)
    whole = torch.rand(6)
    for rank in range(2):
        context = DataParallelContext()
        context.rank, context.size = rank, 2
        torch.manual_seed(0)
        assert torch.equal(context.local_draw(3, torch.rand), whole[3 * rank : 3 * rank + 3])
