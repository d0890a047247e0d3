"""Data parallelism: values and gradients averaged over the ranks equal those of a single process."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from torch import Tensor

from fastlatent import nn as losses
from fastlatent.data import Batch
from fastlatent.models import MODEL_CONFIGS, WAE, GenerativeModel, LogPenalty, StandardNormalPenalty
from fastlatent.models.base.data_parallel import DataParallelContext
from fastlatent.priors import Normal
from tests.models.base.local_neighbors import NUM_RANKS, interpolate_local_neighbors

pytestmark = pytest.mark.slow

LOCAL_BATCH, D = 6, 3
SHAPES = {"images": (1, 2, 4), "point clouds": (8, 3), "rows": (0, 3, 0)}


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
    """Build a small model in float64, with the same weights at every call."""
    torch.manual_seed(1)
    if name in PENALTIES:
        model: GenerativeModel = linear_wae(PENALTIES[name])
    else:
        config = MODEL_CONFIGS[name]
        hidden = {"hidden": (16,)} if name != "aae3d" else {"hidden": (16,), "features": (16,)}
        model = config(**hidden).build(SHAPES[config.data_kind])  # type: ignore[call-arg]
    if single_process:
        interpolate_local_neighbors(model)
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm1d):
            module.eval()  # in training each rank uses the moments of its own part
    return model.double()


def batch(name: str) -> Batch:
    data_kind = "images" if name in PENALTIES else MODEL_CONFIGS[name].data_kind
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(NUM_RANKS * LOCAL_BATCH) % 4 - 1  # some unlabeled, in different numbers on each rank
    if data_kind == "rows":
        return Batch(torch.randint(3, (NUM_RANKS * LOCAL_BATCH, 3), generator=generator).double(), labels)
    return Batch(
        torch.rand(NUM_RANKS * LOCAL_BATCH, *SHAPES[data_kind], dtype=torch.float64, generator=generator), labels
    )


def compute(name: str, group: dist.ProcessGroup | None = None) -> dict[str, list[Tensor]]:
    """Return the terms and gradients of each phase, and the buffers after all phases."""
    model, context = build(name, group is None), DataParallelContext(group)
    x, labels = batch(name)
    part = context.local_slice(len(x))
    results = {}
    for phase in model.phases():
        terms = phase.loss(Batch(x[part], labels[part]), context)
        gradients = torch.autograd.grad(terms["loss"], phase.parameters)
        results[phase.name] = [*(term.detach() for term in terms.values()), *gradients]
    return {**results, "buffers": [buffer for buffer in model.buffers() if buffer.is_floating_point()]}


def rank_main(rank: int, folder: str) -> None:
    """Compute the results of every model in one process, for its part of the batch."""
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{folder}/store", rank=rank, world_size=NUM_RANKS)
    torch.save({name: compute(name, dist.group.WORLD) for name in MODELS}, f"{folder}/{rank}.pt")
    dist.destroy_process_group()


@pytest.fixture(scope="module")
def ranks(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, dict[str, list[Tensor]]]]:
    folder: Path = tmp_path_factory.mktemp("ranks")
    mp.spawn(rank_main, args=(str(folder),), nprocs=NUM_RANKS)
    return [torch.load(folder / f"{rank}.pt") for rank in range(NUM_RANKS)]


@pytest.mark.parametrize("name", MODELS)
def test_mean_over_ranks_equals_a_single_process(ranks, name):
    for key, expected in compute(name).items():
        averages = [sum(values) / NUM_RANKS for values in zip(*(results[name][key] for results in ranks), strict=True)]
        torch.testing.assert_close(averages, expected, msg=lambda text, key=key: f"{key}: {text}")


def test_local_draw_is_a_part_of_the_whole_batch():
    torch.manual_seed(0)
    whole = torch.rand(6)
    for rank in range(2):
        context = DataParallelContext()
        context.rank, context.size = rank, 2
        torch.manual_seed(0)
        assert torch.equal(context.local_draw(3, torch.rand), whole[3 * rank : 3 * rank + 3])
