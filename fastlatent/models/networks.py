"""Encoders and decoders that the models share."""

import math
from collections.abc import Sequence
from itertools import pairwise

from torch import nn


def mlp(widths: Sequence[int]) -> nn.Sequential:
    """Linear layers of these widths with SiLU between them: widths[0] inputs, widths[-1] outputs."""
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(widths):
        layers += [nn.Linear(inputs, outputs), nn.SiLU()]
    return nn.Sequential(*layers[:-1])


def mlp_encoder(shape: Sequence[int], latent_dim: int, hidden: Sequence[int]) -> nn.Sequential:
    """From x (n, *shape) to codes (n, latent_dim)."""
    return nn.Sequential(nn.Flatten(), *mlp([math.prod(shape), *hidden, latent_dim]))


def mlp_decoder(shape: Sequence[int], latent_dim: int, hidden: Sequence[int]) -> nn.Sequential:
    """From codes (n, latent_dim) to x̂ (n, *shape) with values in (0, 1); `hidden` in the encoder's order."""
    layers = mlp([latent_dim, *reversed(hidden), math.prod(shape)])
    return nn.Sequential(*layers, nn.Sigmoid(), nn.Unflatten(1, tuple(shape)))
