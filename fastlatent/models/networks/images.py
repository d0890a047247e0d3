"""Encoders, decoders and critics that the models share."""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import cast

from torch import Tensor, nn

SLOPE = 0.2  # of leaky units below 0, in ACAI's networks


def mlp(widths: Sequence[int], normalized: bool = False) -> nn.Sequential:
    """Linear layers of these widths with SiLU between them: widths[0] inputs, widths[-1] outputs.

    With `normalized`, each layer's outputs are normalized over the batch, the last layer's too.
    """
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(widths):
        layers += [nn.Linear(inputs, outputs), *([nn.BatchNorm1d(outputs)] if normalized else []), nn.SiLU()]
    return nn.Sequential(*layers[:-1])


def mlp_encoder(
    shape: Sequence[int], latent_dim: int, hidden: Sequence[int], normalized: bool = False
) -> nn.Sequential:
    """From x (n, *shape) to codes (n, latent_dim); `normalized` as of `mlp`."""
    return nn.Sequential(nn.Flatten(), *mlp([math.prod(shape), *hidden, latent_dim], normalized))


def mlp_decoder(shape: Sequence[int], latent_dim: int, hidden: Sequence[int]) -> nn.Sequential:
    """From codes (n, latent_dim) to x̂ (n, *shape) with values in (0, 1); `hidden` in the encoder's order."""
    layers = mlp([latent_dim, *reversed(hidden), math.prod(shape)])
    return nn.Sequential(*layers, nn.Sigmoid(), nn.Unflatten(1, tuple(shape)))


def mlp_critic(shape: Sequence[int], hidden: Sequence[int]) -> nn.Sequential:
    """From x (n, *shape) to a number each (n,)."""
    return nn.Sequential(*mlp_encoder(shape, 1, hidden), nn.Flatten(0))


def conv_encoder(shape: Sequence[int], latent_dim: int, width: int = 32) -> nn.Sequential:
    """From images (n, channels, h, w) to codes (n, latent_dim): two convolutions that halve the sides, one layer.

    Args:
        shape: (channels, h, w), h and w multiples of 4: 28×28, 32×32, …
        latent_dim: number of coordinates of a code.
        width: channels after the first convolution; twice as many after the second.

    Raises:
        ValueError: for another shape.
    """
    channels, h, w = image(shape, 4)
    return nn.Sequential(
        nn.Conv2d(channels, width, 4, 2, 1),
        nn.SiLU(),
        nn.Conv2d(width, 2 * width, 4, 2, 1),
        nn.SiLU(),
        nn.Flatten(),
        nn.Linear(2 * width * (h // 4) * (w // 4), latent_dim),
    )


def conv_decoder(shape: Sequence[int], latent_dim: int, width: int = 32) -> nn.Sequential:
    """`conv_encoder` the other way round: from codes (n, latent_dim) to x̂ (n, channels, h, w) in (0, 1)."""
    channels, h, w = image(shape, 4)
    return nn.Sequential(
        nn.Linear(latent_dim, 2 * width * (h // 4) * (w // 4)),
        nn.SiLU(),
        nn.Unflatten(1, (2 * width, h // 4, w // 4)),
        nn.ConvTranspose2d(2 * width, width, 4, 2, 1),
        nn.SiLU(),
        nn.ConvTranspose2d(width, channels, 4, 2, 1),
        nn.Sigmoid(),
    )


def acai_encoder(shape: Sequence[int], latent_dim: int, width: int = 16) -> nn.Sequential:
    """The fully convolutional encoder of ACAI: pairs of 3×3 convolutions, each pair followed by 2×2 average pooling.

    The sides are halved as long as they are even and longer than 4, the channels doubled each time; the code is what is
    left of the image, flattened.

    Args:
        shape: (channels, h, w); 32×32 is halved three times, 28×28 twice.
        latent_dim: number of coordinates of a code, a multiple of the pixels that are left (4·4 = 16 for 32×32,
            7·7 = 49 for 28×28).
        width: channels of the first layer.

    Raises:
        ValueError: for another shape or latent_dim.

    Source: Berthelot et al. 2018, appendix A.
    """
    (channels, _, _), (halvings, left) = image(shape, 1), _halvings(shape, latent_dim)
    layers: list[nn.Module] = [_conv(channels, width, 1)]
    inside = width
    for scale in range(halvings):
        layers += [*_conv_pair(inside, width << scale), nn.AvgPool2d(2)]
        inside = width << scale
    last = _conv(width << halvings, latent_dim // math.prod(left))
    return nn.Sequential(*layers, *_activated(inside, width << halvings), last, nn.Flatten())


def acai_decoder(shape: Sequence[int], latent_dim: int, width: int = 16) -> nn.Sequential:
    """`acai_encoder` the other way round, by nearest-neighbor doubling: from codes (n, latent_dim) to x̂ of any value.

    There is no sigmoid at the end: on a black background, weights that all pixels share drive it to 0, where it learns
    nothing more.

    Source: Berthelot et al. 2018, appendix A.
    """
    (channels, _, _), (halvings, left) = image(shape, 1), _halvings(shape, latent_dim)
    inside = latent_dim // math.prod(left)
    layers: list[nn.Module] = [nn.Unflatten(1, (inside, *left))]
    for scale in reversed(range(halvings)):
        layers += [*_conv_pair(inside, width << scale), nn.Upsample(scale_factor=2)]
        inside = width << scale
    return nn.Sequential(*layers, *_activated(inside, width), _conv(width, channels))


class MeanPool(nn.Module):
    """The mean of all values of each element of a batch: (n, …) to (n,)."""

    def forward(self, x: Tensor) -> Tensor:
        return x.flatten(1).mean(1)


def acai_critic(shape: Sequence[int], latent_dim: int, width: int = 16) -> nn.Sequential:
    """The critic of ACAI: its encoder, and the mean of the code; from x (n, *shape) to (n,).

    Source: Berthelot et al. 2018, appendix A.
    """
    return nn.Sequential(acai_encoder(shape, latent_dim, width), MeanPool())


def image(shape: Sequence[int], multiple: int) -> tuple[int, int, int]:
    """Require the shape of an image, (channels, h, w), with sides that are multiples of so much.

    Raises:
        ValueError: for another shape.
    """
    if len(shape) != 3 or any(side % multiple or side < 1 for side in shape[1:]):
        allowed = f"(channels, h, w) with h and w multiples of {multiple}"
        raise ValueError(f"shape must be {allowed} for this network; got {tuple(shape)}")
    channels, h, w = shape
    return channels, h, w


def _halvings(shape: Sequence[int], latent_dim: int) -> tuple[int, tuple[int, int]]:
    """How often the sides are halved, and what is left of them."""
    h, w = shape[1:]
    halvings = 0
    while h % 2 == w % 2 == 0 and min(h, w) > 4:
        h, w, halvings = h // 2, w // 2, halvings + 1
    if latent_dim % (h * w):
        raise ValueError(f"latent_dim must be a multiple of {h}·{w} = {h * w} for this network; got {latent_dim}")
    return halvings, (h, w)


def _conv(inputs: int, outputs: int, side: int = 3) -> nn.Conv2d:
    """A layer of ACAI's networks, which starts from weights N(0, 1/(fan_in·(1 + SLOPE²))) and no bias."""
    layer = nn.Conv2d(inputs, outputs, side, padding=side // 2)
    nn.init.normal_(layer.weight, std=(layer.weight[0].numel() * (1 + SLOPE**2)) ** -0.5)
    nn.init.zeros_(cast(Tensor, layer.bias))
    return layer


def _activated(inputs: int, outputs: int) -> list[nn.Module]:
    return [_conv(inputs, outputs), nn.LeakyReLU(SLOPE)]


def _conv_pair(inputs: int, outputs: int) -> list[nn.Module]:
    return [*_activated(inputs, outputs), *_activated(outputs, outputs)]
