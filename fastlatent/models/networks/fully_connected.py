"""Fully connected networks: MLP, encoder, decoder and critic."""

import math
from collections.abc import Sequence
from itertools import pairwise

from torch import nn


def mlp(widths: Sequence[int], batch_norm: bool = False) -> nn.Sequential:
    """Build linear layers with SiLU between them.

    Args:
        widths: number of inputs, widths of the hidden layers and number of outputs.
        batch_norm: whether each linear layer, the last included, is followed by batch normalization.
    """
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(widths):
        layers += [nn.Linear(inputs, outputs), *([nn.BatchNorm1d(outputs)] if batch_norm else []), nn.SiLU()]
    return nn.Sequential(*layers[:-1])


def mlp_encoder(
    shape: Sequence[int], latent_dim: int, hidden: Sequence[int], batch_norm: bool = False
) -> nn.Sequential:
    """Build an MLP from x (n, *shape) to codes (n, latent_dim).

    Args:
        shape: shape of x without the batch dimension.
        latent_dim: number of latent dimensions.
        hidden: widths of the hidden layers.
        batch_norm: see `mlp`.
    """
    return nn.Sequential(nn.Flatten(), *mlp([math.prod(shape), *hidden, latent_dim], batch_norm))


def mlp_decoder(shape: Sequence[int], latent_dim: int, hidden: Sequence[int]) -> nn.Sequential:
    """Build an MLP from codes (n, latent_dim) to x̂ (n, *shape) with values in (0, 1).

    Args:
        shape: shape of x̂ without the batch dimension.
        latent_dim: number of latent dimensions.
        hidden: widths of the hidden layers, in the encoder's order.
    """
    layers = mlp([latent_dim, *reversed(hidden), math.prod(shape)])
    return nn.Sequential(*layers, nn.Sigmoid(), nn.Unflatten(1, tuple(shape)))


def mlp_critic(shape: Sequence[int], hidden: Sequence[int]) -> nn.Sequential:
    """Build an MLP from x (n, *shape) to scalars (n,): the values of a critic, or the logits of a discriminator.

    Args:
        shape: shape of x without the batch dimension.
        hidden: widths of the hidden layers.
    """
    return nn.Sequential(*mlp_encoder(shape, 1, hidden), nn.Flatten(0))
