"""Convolutional encoder, decoder and critic networks for images, and those of ACAI."""

import math
from collections.abc import Sequence
from typing import cast

from torch import Tensor, nn

LEAKY_SLOPE = 0.2  # negative slope of LeakyReLU in ACAI's networks


def conv_encoder(shape: Sequence[int], latent_dim: int, width: int = 32) -> nn.Sequential:
    """Build an encoder of images of two strided convolutions and a linear layer.

    Args:
        shape: (channels, h, w), h and w multiples of 4: 28×28, 32×32, …
        latent_dim: number of latent dimensions.
        width: number of channels after the first convolution, doubled by the second.

    Raises:
        ValueError: if the shape is invalid.
    """
    channels, h, w = check_image_shape(shape, 4)
    return nn.Sequential(
        nn.Conv2d(channels, width, 4, 2, 1),
        nn.SiLU(),
        nn.Conv2d(width, 2 * width, 4, 2, 1),
        nn.SiLU(),
        nn.Flatten(),
        nn.Linear(2 * width * (h // 4) * (w // 4), latent_dim),
    )


def conv_decoder(shape: Sequence[int], latent_dim: int, width: int = 32) -> nn.Sequential:
    """Build the mirror image of `conv_encoder`, from codes (n, latent_dim) to x̂ (n, channels, h, w) in (0, 1).

    Args:
        shape: see `conv_encoder`.
        latent_dim: see `conv_encoder`.
        width: see `conv_encoder`.

    Raises:
        ValueError: see `conv_encoder`.
    """
    channels, h, w = check_image_shape(shape, 4)
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
    """Build ACAI's fully convolutional encoder: pairs of 3×3 convolutions, each followed by 2×2 average pooling.

    Pooling is repeated while the sides are even and longer than 4; it halves the sides, and the number of channels is
    doubled. The code is the last feature map, flattened.

    Args:
        shape: (channels, h, w); 32×32 is halved three times, 28×28 twice.
        latent_dim: number of latent dimensions, a multiple of the number of pixels of the last feature map (4·4 = 16
            for 32×32, 7·7 = 49 for 28×28).
        width: number of channels of the first layer.

    Raises:
        ValueError: if shape or latent_dim is invalid.

    Source: Berthelot et al. 2018, appendix A.
    """
    (channels, _, _), (halvings, side) = check_image_shape(shape, 1), _halvings(shape, latent_dim)
    layers: list[nn.Module] = [_conv(channels, width, 1)]
    inputs = width
    for scale in range(halvings):
        layers += [*_conv_pair(inputs, width << scale), nn.AvgPool2d(2)]
        inputs = width << scale
    last = _conv(width << halvings, latent_dim // math.prod(side))
    return nn.Sequential(*layers, *_conv_lrelu(inputs, width << halvings), last, nn.Flatten())


def acai_decoder(shape: Sequence[int], latent_dim: int, width: int = 16) -> nn.Sequential:
    """Build ACAI's decoder, the mirror image of `acai_encoder` with nearest-neighbor upsampling.

    It maps codes (n, latent_dim) to x̂ of any value. There is no sigmoid at the end: on images with a black background
    the shared weights of a convolution would saturate it at 0, where gradients vanish.

    Args:
        shape: see `acai_encoder`.
        latent_dim: see `acai_encoder`.
        width: see `acai_encoder`.

    Raises:
        ValueError: see `acai_encoder`.

    Source: Berthelot et al. 2018, appendix A.
    """
    (channels, _, _), (halvings, side) = check_image_shape(shape, 1), _halvings(shape, latent_dim)
    inputs = latent_dim // math.prod(side)
    layers: list[nn.Module] = [nn.Unflatten(1, (inputs, *side))]
    for scale in reversed(range(halvings)):
        layers += [*_conv_pair(inputs, width << scale), nn.Upsample(scale_factor=2)]
        inputs = width << scale
    return nn.Sequential(*layers, *_conv_lrelu(inputs, width), _conv(width, channels))


class MeanPool(nn.Module):
    """Mean over all dimensions but the first: (n, …) to (n,)."""

    def forward(self, x: Tensor) -> Tensor:
        """Return the mean of each element of a batch."""
        return x.flatten(1).mean(1)


def acai_critic(shape: Sequence[int], latent_dim: int, width: int = 16) -> nn.Sequential:
    """Build ACAI's critic from x (n, *shape) to scalars (n,): the mean of the outputs of `acai_encoder`.

    Args:
        shape: see `acai_encoder`.
        latent_dim: see `acai_encoder`.
        width: see `acai_encoder`.

    Raises:
        ValueError: see `acai_encoder`.

    Source: Berthelot et al. 2018, appendix A.
    """
    return nn.Sequential(acai_encoder(shape, latent_dim, width), MeanPool())


def check_image_shape(shape: Sequence[int], multiple: int) -> tuple[int, int, int]:
    """Require the shape of an image, (channels, h, w).

    Args:
        shape: shape of x without the batch dimension.
        multiple: number of which h and w must be multiples.

    Raises:
        ValueError: if the shape is invalid.
    """
    if len(shape) != 3 or any(side % multiple or side < 1 for side in shape[1:]):
        allowed = f"(channels, h, w) with h and w multiples of {multiple}"
        raise ValueError(f"shape must be {allowed} for this network; got {tuple(shape)}")
    channels, h, w = shape
    return channels, h, w


def _halvings(shape: Sequence[int], latent_dim: int) -> tuple[int, tuple[int, int]]:
    """Return the number of poolings, and the sides of the last feature map."""
    h, w = shape[1:]
    halvings = 0
    while h % 2 == w % 2 == 0 and min(h, w) > 4:
        h, w, halvings = h // 2, w // 2, halvings + 1
    if latent_dim % (h * w):
        raise ValueError(f"latent_dim must be a multiple of {h}·{w} = {h * w} for this network; got {latent_dim}")
    return halvings, (h, w)


def _conv(inputs: int, outputs: int, side: int = 3) -> nn.Conv2d:
    """Build a convolution of ACAI's networks with weights from N(0, 1/(fan_in·(1 + LEAKY_SLOPE²))) and zero bias."""
    layer = nn.Conv2d(inputs, outputs, side, padding=side // 2)
    nn.init.normal_(layer.weight, std=(layer.weight[0].numel() * (1 + LEAKY_SLOPE**2)) ** -0.5)
    nn.init.zeros_(cast(Tensor, layer.bias))
    return layer


def _conv_lrelu(inputs: int, outputs: int) -> list[nn.Module]:
    return [_conv(inputs, outputs), nn.LeakyReLU(LEAKY_SLOPE)]


def _conv_pair(inputs: int, outputs: int) -> list[nn.Module]:
    return [*_conv_lrelu(inputs, outputs), *_conv_lrelu(outputs, outputs)]
