"""`group=`: values and gradients on two ranks equal those of one process with the whole batch."""

from functools import partial
from pathlib import Path

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp

import fastlatent as fl
from tests.truth.cases import with_gradients

pytestmark = pytest.mark.slow

RANKS = 2


def directions() -> dict:
    """Options of random directions, with another seed on each rank: all ranks must use those of the first."""
    return {
        "n_projections": 8,
        "generator": torch.Generator().manual_seed(dist.get_rank() if dist.is_initialized() else 0),
    }


def weighted(x: torch.Tensor, y: torch.Tensor, group=None) -> torch.Tensor:
    weights = {"x_weights": x.detach()[..., 0].square(), "y_weights": y.detach()[..., 0].square()}
    return fl.sliced_wasserstein(x, y, **weights, **directions(), group=group)


LOSSES = {
    "mmd": partial(fl.mmd, kernel=fl.IMQ(), estimator="biased"),
    "mmd block": partial(fl.mmd, kernel=fl.IMQ(), estimator="block", block_size=4),
    "mmd_imq": fl.mmd_imq,
    "mmd_rbf": fl.mmd_rbf,
    "mmd_rbf median": partial(fl.mmd_rbf, bandwidths="median"),
    "mmd_laplace": fl.mmd_laplace,
    "mmd_rational_quadratic": fl.mmd_rational_quadratic,
    "energy_distance": fl.energy_distance,
    "polynomial_mmd": fl.polynomial_mmd,
    "cramer_wold": fl.cramer_wold,
    "frechet_distance": fl.frechet_distance,
    "frechet_distance_normal": lambda x, y, group=None: fl.frechet_distance_normal(x, group=group) + 0 * y.sum(),
    "cramer_wold_normal": lambda x, y, group=None: fl.cramer_wold_normal(x, group=group) + 0 * y.sum(),
    "sliced_wasserstein": lambda x, y, group=None: fl.sliced_wasserstein(x, y, **directions(), group=group),
    "sliced_wasserstein weighted": weighted,
    "sliced_wasserstein_normal": lambda x, y, group=None: (
        fl.sliced_wasserstein_normal(x, **directions(), group=group) + 0 * y.sum()
    ),
    "epps_pulley": lambda x, y, group=None: fl.epps_pulley(x, **directions(), group=group) + 0 * y.sum(),
}
COUNTS = {"equal": (5, 5), "unequal": (3, 7), "one point and many": (1, 9)}


def batch(*leading: int) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    x, y = (torch.randn(*leading, 10, 3, dtype=torch.float64, generator=generator) for _ in range(2))
    return x, y + 0.3


def rank_main(rank: int, folder: str) -> None:
    """Compute every loss on this rank's part of the batch, for every split of the batch."""
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{folder}/store", rank=rank, world_size=RANKS)
    group = dist.group.WORLD
    results = {}
    for split, counts in COUNTS.items():
        for leading in ((), (2,)):
            x, y = (z.split(counts, -2)[rank] for z in batch(*leading))
            for name, loss in LOSSES.items():
                results[split, leading, name] = with_gradients(partial(loss, group=group), x, y)
    x, y = batch()
    torch.manual_seed(rank)  # seeds differ, but all ranks must use the same features
    results["features"] = fl.mmd(x, y, fl.RBF(), estimator="features", n_features=8, group=group)
    torch.save(results, f"{folder}/{rank}.pt")
    dist.destroy_process_group()


@pytest.fixture(scope="module")
def ranks(tmp_path_factory: pytest.TempPathFactory) -> list[dict]:
    folder: Path = tmp_path_factory.mktemp("ranks")
    mp.spawn(rank_main, args=(str(folder),), nprocs=RANKS)
    return [torch.load(folder / f"{rank}.pt") for rank in range(RANKS)]


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("leading", [(), (2,)], ids=["one", "batched"])
@pytest.mark.parametrize("split", COUNTS)
def test_two_ranks_equal_one_process_with_the_whole_batch(ranks, name, leading, split):
    value, *gradients = with_gradients(LOSSES[name], *batch(*leading))
    for rank, results in enumerate(ranks):
        rank_value, *rank_gradients = results[split, leading, name]
        torch.testing.assert_close(rank_value, value)
        expected = [g.split(COUNTS[split], -2)[rank] for g in gradients]
        torch.testing.assert_close(rank_gradients, expected)


def test_random_features_are_equal_on_all_ranks(ranks):
    first, second = (results["features"] for results in ranks)
    assert first == second
