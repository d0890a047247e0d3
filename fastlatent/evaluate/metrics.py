"""The numbers of a trained autoencoder, all on test data, each beside what it should be compared with."""

from dataclasses import dataclass

import torch
from sklearn.decomposition import PCA
from torch import Tensor

from ..data import Data
from ..losses.frechet import frechet_distance
from ..losses.mmd import mmd_imq
from ..models import Autoencoder, Generative

FEATURES = 20  # principal components in which samples are compared
IMAGES = 10_000  # at most so many test images are compared


@dataclass(frozen=True)
class Number:
    """A measured number.

    Args:
        group: what is measured; numbers of one group are comparable.
        of: what this number was measured of.
        value: the number; smaller is better.
        ours: whether it is the model's, or there for comparison.
    """

    group: str
    of: str
    value: float
    ours: bool = False


RECONSTRUCTION = "Reconstruction error, per pixel"
SAMPLES = f"Fréchet distance to test images, {FEATURES} principal components"
LATENT = "MMD (IMQ, unbiased) between test codes and prior"


@torch.no_grad()
def measure(model: Generative, data: Data) -> list[Number]:
    """Samples of a model and, if it has an encoder, reconstructions and codes, with baselines, floors and ceilings.

    All is measured on `data.test`; the features and the baselines are fitted on `data.train` alone.

    Args:
        model: trained; on any device.
        data: the data it was trained on.
    """
    model.eval()
    device = next(model.parameters()).device
    train, batch = data.train.spread(2 * IMAGES).x.to(device), data.test.spread(IMAGES).to(device)
    generator = torch.Generator(device).manual_seed(0)
    samples = _samples(train, batch.x, model.sample(len(batch.x), generator=generator), generator)
    if not isinstance(model, Autoencoder):
        return samples
    reconstruction = _reconstruction(train, batch.x, model.reconstruct(batch), model.prior.dim)
    with torch.random.fork_rng():  # codes may be drawn at random
        torch.manual_seed(0)
        codes = model.codes(batch)
    return [*reconstruction, *samples, *_latent(model, codes, generator)]


def pixel_error(x: Tensor, reconstruction: Tensor) -> float:
    """Mean of (x − x̂)² over images and pixels."""
    return float((x - reconstruction).square().mean())


def _reconstruction(train: Tensor, test: Tensor, ours: Tensor, dim: int) -> list[Number]:
    flat = test.flatten(1).cpu().numpy()
    pca = PCA(min(dim, flat.shape[1]), random_state=0).fit(train.flatten(1).cpu().numpy())
    linear = torch.from_numpy(pca.inverse_transform(pca.transform(flat))).to(test)
    return [
        Number(RECONSTRUCTION, "this model", pixel_error(test, ours), ours=True),
        Number(RECONSTRUCTION, f"PCA with as many dimensions ({dim})", pixel_error(test.flatten(1), linear)),
        Number(RECONSTRUCTION, "the mean training image", pixel_error(test, train.mean(0))),
    ]


def _samples(train: Tensor, test: Tensor, ours: Tensor, generator: torch.Generator) -> list[Number]:
    apart = min(len(test), len(train) // 2)  # for the floor: images that the features are not fitted on
    pca = PCA(FEATURES, random_state=0).fit(train[apart:].flatten(1).cpu().numpy())

    def distance(images: Tensor) -> float:
        x, y = (torch.from_numpy(pca.transform(i.flatten(1).cpu().numpy())).double() for i in (images, test))
        return float(frechet_distance(x, y))

    pixels = train.flatten(1)
    rows = torch.randint(len(train), (len(test), pixels.shape[1]), generator=generator, device=train.device)
    return [
        Number(SAMPLES, "samples of this model", distance(ours), ours=True),
        Number(SAMPLES, f"{apart:,} training images (floor)", distance(train[:apart])),
        Number(SAMPLES, "independent pixels of training images (noise)", distance(pixels.gather(0, rows))),
    ]


def _latent(model: Autoencoder, codes: Tensor, generator: torch.Generator) -> list[Number]:
    fresh, other = model.prior_like(codes, generator), model.prior_like(codes, generator)
    return [
        Number(LATENT, "codes of this model", float(mmd_imq(codes, fresh)), ours=True),
        Number(LATENT, "two samples of the prior (floor)", float(mmd_imq(other, fresh))),
        Number(LATENT, "prior shifted by one in each coordinate", float(mmd_imq(other + 1, fresh))),
    ]
