"""Common training loops with the networks of fastlatent, for comparison in benchmarks."""

import tempfile
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset, TensorDataset

from bench.timing import require
from fastlatent.data import Batch, Split
from fastlatent.models import AAE, WAE, GenerativeModel

Steps = Callable[[], object]  # runs a fixed number of steps


class ImageDataset(Dataset[tuple[Tensor, int]]):
    """Copy of torchvision's MNIST with the transform ToTensor: each example becomes a PIL image, then a tensor."""

    def __init__(self, split: Split) -> None:
        self.data, self.targets = split.x[:, 0], split.labels

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        image = Image.fromarray(self.data[index].numpy(), mode="L")
        pixels = torch.from_numpy(np.array(image, copy=True)).view(*image.size, 1)
        return pixels.permute(2, 0, 1).contiguous().float().div(255), int(self.targets[index])


def tensors(split: Split) -> TensorDataset:
    """Return all examples as one float tensor."""
    return TensorDataset(_floats(split), split.labels)


@cache
def _floats(split: Split) -> Tensor:
    return split.x.float() / split.max_value


def plain_loop(model: GenerativeModel, dataset: Dataset[Any], batch_size: int, lr: float) -> Iterator[None]:
    """Run the loop of most scripts: a shuffling DataLoader, Adam with default options, loss.item() at every step."""
    phases = model.phases()
    optimizers = [torch.optim.Adam(phase.parameters, lr=lr, betas=(phase.beta1, 0.999)) for phase in phases]
    loader = DataLoader(dataset, batch_size=batch_size, shuffle=True, drop_last=True)
    while True:
        running = 0.0
        for x, label in loader:
            for phase, optimizer in zip(phases, optimizers, strict=True):
                loss = phase.loss(Batch(x, label))["loss"]
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                running += loss.item()
            yield


def pythae_epoch(model: WAE | AAE, split: Split, batch_size: int, steps: int, lr: float) -> Steps:
    """Return a function that runs an epoch of `steps` steps of pythae's trainer, with the networks of a model."""
    models, trainers, networks = require("pythae.models"), require("pythae.trainers"), require("pythae.models.nn")
    output = require("pythae.models.base.base_utils").ModelOutput

    class Encoder(networks.BaseEncoder):  # type: ignore[name-defined]
        def __init__(self, network: nn.Module) -> None:
            super().__init__()
            self.network = network

        def forward(self, x: Tensor) -> Any:
            z = self.network(x)
            return output(embedding=z, log_covariance=torch.zeros_like(z))

    class Decoder(networks.BaseDecoder):  # type: ignore[name-defined]
        def __init__(self, network: nn.Module) -> None:
            super().__init__()
            self.network = network

        def forward(self, z: Tensor) -> Any:
            return output(reconstruction=self.network(z))

    class Critic(networks.BaseDiscriminator):  # type: ignore[name-defined]
        def __init__(self, network: nn.Module) -> None:
            super().__init__()
            self.network = network

        def forward(self, z: Tensor) -> Any:
            return output(embedding=self.network(z).sigmoid())

    encoder, decoder = Encoder(model.encoder), Decoder(model.decoder)
    options = {"input_dim": tuple(split.x.shape[1:]), "latent_dim": model.prior.dim}
    folder = tempfile.mkdtemp()
    common_options = {"output_dir": folder, "per_device_train_batch_size": batch_size, "num_epochs": 1, "no_cuda": True}
    if isinstance(model, WAE):
        config = models.WAE_MMD_Config(**options, kernel_choice="imq", reg_weight=model.weight)
        pythae_model = models.WAE_MMD(config, encoder, decoder)
        trainer, rates = trainers.BaseTrainer, {"learning_rate": lr}
        training = trainers.BaseTrainerConfig(**common_options, **rates)
    else:
        config = models.Adversarial_AE_Config(**options, deterministic_posterior=True)
        pythae_model = models.Adversarial_AE(config, encoder, decoder, Critic(model.discriminator))
        trainer, rates = (
            trainers.AdversarialTrainer,
            {"autoencoder_learning_rate": lr, "discriminator_learning_rate": lr},
        )
        training = trainers.AdversarialTrainerConfig(**common_options, **rates)
    examples = split[torch.arange(steps * batch_size)]
    dataset = require("pythae.data.datasets").BaseDataset(examples.x, examples.label)
    pythae_trainer = trainer(pythae_model, dataset, training_config=training)
    pythae_trainer.prepare_training()
    return lambda: pythae_trainer.train_step(1)
