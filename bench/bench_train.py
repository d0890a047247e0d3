"""Training steps of WAE-MMD, SWAE, WWAE, ACAI and AAE on MNIST, compared with common training loops."""

import os
from collections.abc import Iterator
from functools import cache, partial
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.utils.benchmark import Timer

from bench.peers import losses, spectral
from bench.peers import train as peers_train
from bench.timing import THREADS, measure
from fastlatent import data
from fastlatent.models import AAE, ACAI, WAE, GenerativeModel, mlp_critic, mlp_decoder, mlp_encoder
from fastlatent.models import penalty as named
from fastlatent.priors import Normal
from fastlatent.train import TrainConfig
from fastlatent.train.devices import make_fabric
from fastlatent.train.trainer import initialize
from fastlatent.utils.threads import torch_threads

D, HIDDEN, LR = 64, (512, 512), 1e-3
BATCHES = (64, 256, 1024)
EXAMPLES_PER_ROUND = 1024  # the steps over them are timed together
PEER_PENALTIES = {
    "mmd": losses.mmd_imq,
    "sliced": partial(losses.sliced_wasserstein_rows, n_projections=128),
    "frechet": lambda codes, _: spectral.eigvalsh_normal(codes),
}
PENALTIES = {"wae-mmd": "mmd", "swae": "sliced", "wwae": "frechet"}
MODELS = (*PENALTIES, "acai", "aae")
PYTHAE = {"wae-mmd": (64, 256), "aae": BATCHES}  # pythae's MMD of 1024 codes takes more than 10 GB
FLOAT32, BFLOAT16 = "fastlatent", "fastlatent, bf16-mixed"
TENSOR_DATASET, IMAGE_DATASET = "torch loop, TensorDataset", "torch loop, torchvision's MNIST"


@cache
def mnist() -> data.Dataset:
    """Load MNIST from $FASTLATENT_DATA, else from ../shared/data; skip the benchmark if it is missing."""
    default = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.environ.get("FASTLATENT_DATA", default))
    if not (folder / "mnist").is_dir():
        pytest.skip(f"no MNIST in {folder}: set FASTLATENT_DATA")
    return data.load("mnist", folder)


def build(name: str, *, peer_penalty: bool = False) -> Any:
    """Build a model with fixed networks, with the penalty of fastlatent or the common implementation."""
    torch.manual_seed(0)
    shape, prior = mnist().shape, Normal(D)
    encoder, decoder = mlp_encoder(shape, D, HIDDEN), mlp_decoder(shape, D, HIDDEN)
    if name == "acai":
        return ACAI(encoder, decoder, mlp_critic(shape, HIDDEN), prior)
    if name == "aae":
        return AAE(encoder, decoder, mlp_critic((D,), HIDDEN), prior)
    kind = PENALTIES[name]
    return WAE(encoder, decoder, PEER_PENALTIES[kind] if peer_penalty else named(kind, prior), prior, weight=10.0)  # type: ignore[arg-type]


def fastlatent_loop(model: GenerativeModel, batch_size: int, **options: Any) -> Iterator[None]:
    """Run the steps of fastlatent's trainer."""
    config = TrainConfig(epochs=1, batch_size=batch_size, lr=LR, accelerator="cpu", **options)
    state = initialize(model, mnist().train, config, make_fabric(model, config))
    while True:
        for batch in state.batches():
            state.train_step(batch)
            yield
        state.finish_epoch({})


def steps(who: str, name: str, batch_size: int, count: int) -> peers_train.Steps:
    """Return a function that runs `count` steps of a training loop."""
    train = mnist().train
    if who == "pythae":
        return peers_train.pythae_epoch(build(name), train, batch_size, count, LR)
    if who in (FLOAT32, BFLOAT16):
        loop = fastlatent_loop(build(name), batch_size, precision="32" if who == FLOAT32 else "bf16-mixed")
    else:
        dataset = peers_train.tensors(train) if who == TENSOR_DATASET else peers_train.ImageDataset(train)
        loop = peers_train.plain_loop(build(name, peer_penalty=True), dataset, batch_size, LR)
    return lambda: [next(loop) for _ in range(count)]


def seconds_of_penalty(model: WAE, batch_size: int, threads: int) -> float:
    """Return the median seconds of the penalty of a batch of codes, with prior sampling and backward."""
    codes = torch.randn(batch_size, D, requires_grad=True)
    with torch_threads(threads):
        timer = Timer("model.penalty(*model.penalty_inputs(codes)).backward()", globals=locals(), num_threads=threads)
        return timer.blocked_autorange(min_run_time=0.3).median


CASES = [
    (name, who, size)
    for name in MODELS
    for size in BATCHES
    for who in (FLOAT32, BFLOAT16, TENSOR_DATASET, IMAGE_DATASET, "pythae")
    if size in {"pythae": PYTHAE.get(name, ()), BFLOAT16: BATCHES if name == "wae-mmd" else ()}.get(who, BATCHES)
]


@pytest.mark.parametrize("threads", THREADS)
@pytest.mark.parametrize(("name", "who", "size"), CASES)
def test_train(benchmark: Any, name: str, who: str, size: int, threads: int) -> None:
    """Time a training step, and for penalties their share of it."""
    count = EXAMPLES_PER_ROUND // size
    with torch_threads(threads):
        run = steps(who, name, size, count)
    measure(
        benchmark, run, op=f"train {name}", who=who, shape=(size, D), threads=threads, timed="a step", parts=count,
        examples=size,
    )  # fmt: skip
    if who == FLOAT32 and name in PENALTIES:
        share = seconds_of_penalty(build(name), size, threads) / benchmark.extra_info["p50"]
        benchmark.extra_info["loss_share"] = share
