"""The numbers of a trained autoencoder, all on test data, each beside what it should be compared with."""

import torch
from sklearn.decomposition import PCA
from torch import Tensor

from ..data import Clouds, Data
from ..losses.frechet import frechet_distance
from ..losses.mmd import mmd_imq
from ..models import Autoencoder, Batch, Generative, TabularAutoencoder
from . import clouds, tables
from .number import Number

FEATURES = 20  # principal components in which samples are compared
EXAMPLES = 10_000  # at most so many test examples are compared


RECONSTRUCTION = "Reconstruction error, per pixel"
SAMPLES = "Fréchet distance to test {}, {} principal components"
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
    train, batch = data.train.spread(2 * EXAMPLES).x.to(device), data.test.spread(EXAMPLES).to(device)
    generator = torch.Generator(device).manual_seed(0)
    samples = model.sample(len(batch.x), generator=generator)
    compared = _compare_samples(model, data, train, batch.x, samples, generator)
    if not isinstance(model, Autoencoder):
        return compared
    reconstruction = _compare_reconstructions(model, data, train, batch, generator)
    with torch.random.fork_rng():  # codes may be drawn at random
        torch.manual_seed(0)
        codes = model.codes(batch)
    return [*reconstruction, *compared, *_latent(model, codes, generator)]


def pixel_error(x: Tensor, reconstruction: Tensor) -> float:
    """Mean of (x − x̂)² over images and pixels."""
    return float((x - reconstruction).square().mean())


def _compare_reconstructions(
    model: Autoencoder, data: Data, train: Tensor, batch: Batch, generator: torch.Generator
) -> list[Number]:
    ours = model.reconstruct(batch)
    if isinstance(model, TabularAutoencoder):
        return tables.reconstruction(model.columns, train, batch.x, ours, model.prior.dim)
    if isinstance(data, Clouds):
        return clouds.reconstruction(train, batch.x, ours, generator)
    return _reconstruction(train, batch.x, ours, model.prior.dim)


def _compare_samples(
    model: Generative, data: Data, train: Tensor, test: Tensor, ours: Tensor, generator: torch.Generator
) -> list[Number]:
    if isinstance(data, Clouds):
        return clouds.samples(train, test, ours, generator)
    flat = train.flatten(1)
    rows = torch.randint(len(train), (len(test), flat.shape[1]), generator=generator, device=train.device)
    noise = flat.gather(0, rows)
    if isinstance(model, TabularAutoencoder):
        vectors = [model.columns.vectors(x) for x in (train, test, ours, noise)]
        return _samples(*vectors, kind=data.kind, parts="columns")
    return _samples(flat, test, ours, noise, kind=data.kind, parts="pixels")


def _reconstruction(train: Tensor, test: Tensor, ours: Tensor, dim: int) -> list[Number]:
    flat = test.flatten(1).cpu().numpy()
    pca = PCA(min(dim, flat.shape[1]), random_state=0).fit(train.flatten(1).cpu().numpy())
    linear = torch.from_numpy(pca.inverse_transform(pca.transform(flat))).to(test)
    return [
        Number(RECONSTRUCTION, "this model", pixel_error(test, ours), ours=True),
        Number(RECONSTRUCTION, f"PCA with as many dimensions ({dim})", pixel_error(test.flatten(1), linear)),
        Number(RECONSTRUCTION, "the mean training image", pixel_error(test, train.mean(0))),
    ]


def _samples(train: Tensor, test: Tensor, ours: Tensor, noise: Tensor, *, kind: str, parts: str) -> list[Number]:
    apart = min(len(test), len(train) // 2)  # for the floor: examples that the features are not fitted on
    fitted = train[apart:].flatten(1).cpu().numpy()
    pca = PCA(min(FEATURES, *fitted.shape), random_state=0).fit(fitted)
    group = SAMPLES.format(kind, pca.n_components_)

    def distance(examples: Tensor) -> float:
        x, y = (torch.from_numpy(pca.transform(i.flatten(1).cpu().numpy())).double() for i in (examples, test))
        return float(frechet_distance(x, y))

    return [
        Number(group, "samples of this model", distance(ours), ours=True),
        Number(group, f"{apart:,} training {kind} (floor)", distance(train[:apart])),
        Number(group, f"independent {parts} of training {kind} (noise)", distance(noise)),
    ]


def _latent(model: Autoencoder, codes: Tensor, generator: torch.Generator) -> list[Number]:
    fresh, other = model.prior_like(codes, generator), model.prior_like(codes, generator)
    return [
        Number(LATENT, "codes of this model", float(mmd_imq(codes, fresh)), ours=True),
        Number(LATENT, "two samples of the prior (floor)", float(mmd_imq(other, fresh))),
        Number(LATENT, "prior shifted by one in each coordinate", float(mmd_imq(other + 1, fresh))),
    ]
