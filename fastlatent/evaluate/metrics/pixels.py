"""Numbers of images and rows: reconstruction error, and samples in principal components."""

import numpy as np
import torch
from sklearn.decomposition import PCA
from torch import Tensor

from ...losses.frechet import frechet_distance
from ...models import TabularAutoencoder
from ..evaluated_model import EvaluatedModel
from .result import MetricResult

FEATURES = 20  # principal components in which samples are compared

RECONSTRUCTION = "Reconstruction error, per pixel"
SAMPLES = "Fréchet distance to test {}, {} principal components"


def pixel_error(x: Tensor, reconstruction: Tensor) -> float:
    """Mean of (x − x̂)² over images and pixels."""
    return float((x - reconstruction).square().mean())


def reconstruction(subject: EvaluatedModel) -> list[MetricResult]:
    """The error of reconstructed images, beside that of PCA with as many dimensions and of the mean image."""
    train, test, dim = subject.train.x, subject.test.x, subject.model.prior.dim
    flat = test.flatten(1).cpu().numpy()
    pca = PCA(min(dim, flat.shape[1]), random_state=0).fit(train.flatten(1).cpu().numpy())
    linear = torch.from_numpy(pca.inverse_transform(pca.transform(flat))).to(test)
    return [
        MetricResult(RECONSTRUCTION, "this model", pixel_error(test, subject.reconstructions), ours=True),
        MetricResult(RECONSTRUCTION, f"PCA with as many dimensions ({dim})", pixel_error(test.flatten(1), linear)),
        MetricResult(RECONSTRUCTION, "the mean training image", pixel_error(test, train.mean(0))),
    ]


def samples(subject: EvaluatedModel) -> list[MetricResult]:
    """The Fréchet distance of samples in principal components, beside that of training examples and of noise.

    The components are fitted on training examples that are not compared.

    Source: Dowson & Landau 1982, "The Fréchet distance between multivariate normal distributions".
    """
    vectors = subject.model.columns.vectors if isinstance(subject.model, TabularAutoencoder) else torch.nn.Flatten()
    apart = held_apart(subject)
    sets = [subject.train.x[apart:], subject.test.x, subject.samples, subject.train.x[:apart], noise(subject)]
    fitted, test, ours, floor, mixed = (vectors(x).cpu().numpy() for x in sets)
    pca = PCA(min(FEATURES, *fitted.shape), random_state=0).fit(fitted)
    group = SAMPLES.format(subject.data.kind, pca.n_components_)

    def distance(x: np.ndarray) -> float:
        a, b = (torch.from_numpy(pca.transform(z)).double() for z in (x, test))
        return float(frechet_distance(a, b))

    return [
        MetricResult(group, "samples of this model", distance(ours), ours=True),
        MetricResult(group, floor_name(subject), distance(floor)),
        MetricResult(group, noise_name(subject), distance(mixed)),
    ]


def held_apart(subject: EvaluatedModel) -> int:
    """How many training examples are compared with test examples, for the floor: on these no features are fitted."""
    return min(len(subject.test.x), len(subject.train.x) // 2)


def floor_name(subject: EvaluatedModel) -> str:
    """What the floor of a distance is measured of."""
    return f"{held_apart(subject):,} training {subject.data.kind} (floor)"


def noise(subject: EvaluatedModel) -> Tensor:
    """As many examples as there are for testing, each pixel or column drawn from another training example."""
    flat, count = subject.train.x.flatten(1), len(subject.test.x)
    rows = torch.randint(len(flat), (count, flat.shape[1]), generator=subject.generator(), device=flat.device)
    return flat.gather(0, rows).view(count, *subject.train.x.shape[1:])


def noise_name(subject: EvaluatedModel) -> str:
    """What noise is."""
    parts = "pixels" if subject.data.kind == "images" else "columns"
    return f"independent {parts} of training {subject.data.kind} (noise)"
