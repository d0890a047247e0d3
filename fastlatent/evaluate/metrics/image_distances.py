"""Fréchet and kernel distances of a model's images in features of a network, each named by the features."""

from collections.abc import Callable

import torch
from torch import Tensor

from ...losses.frechet import frechet_distance
from ...losses.mmd import polynomial_mmd
from ...models import Autoencoder
from ..evaluated_model import EvaluatedModel
from ..features import inception
from ..features.classifier import Features, classifier_features
from . import pixels
from .result import MetricResult

ON_PROCESSOR = 1000  # images that Inception looks at of each set where there is no accelerator

DISTANCES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "Fréchet distance": frechet_distance,
    "KID (cubic MMD, unbiased)": polynomial_mmd,
}
GROUP = "{} to test images in features of {}, {:,} images each"


def in_features_of_classifier(subject: EvaluatedModel) -> list[MetricResult]:
    """The distances in features of a small classifier of the data set."""
    features = classifier_features(
        subject.data.name, subject.labeled.known(), subject.data.test, subject.device, subject.cache
    )
    return _distances(subject, features, len(subject.test.x))


def in_inception_features(subject: EvaluatedModel) -> list[MetricResult]:
    """The distances in Inception features; none where there is no torch-fidelity with its weights."""
    if not inception.available() or subject.test.x.shape[1] not in (1, 3):
        return []
    most = len(subject.test.x) if subject.device.type != "cpu" else min(ON_PROCESSOR, len(subject.test.x))
    return _distances(subject, inception.inception_features(subject.device), most)


def _distances(subject: EvaluatedModel, features: Features, most: int) -> list[MetricResult]:
    """The distances of each set of images to test images, `most` images of each.

    Source: Fréchet: Heusel et al. 2017; kernel: Bińkowski et al. 2018, "Demystifying MMD GANs".
    """
    seen = {of: _seen(features, images, most) for of, images in _sets(subject).items()}
    test = _seen(features, subject.test.x, most)
    ours = _ours(subject)
    numbers = []
    for name, distance in DISTANCES.items():
        group = GROUP.format(name, features.name, min(most, len(subject.test.x)))
        numbers += [MetricResult(group, of, float(distance(x, test)), ours=of in ours) for of, x in seen.items()]
    return numbers


def _ours(subject: EvaluatedModel) -> dict[str, Tensor]:
    """The images that the model makes."""
    if not isinstance(subject.model, Autoencoder):
        return {"samples of this model": subject.samples}
    return {
        "samples of this model": subject.samples,
        "its reconstructions of test images": subject.reconstructions,
        "its interpolations, halfway between codes of test images": subject.midpoints,
    }


def _sets(subject: EvaluatedModel) -> dict[str, Tensor]:
    """The images to compare with test images."""
    floor = subject.train.x[: pixels.held_apart(subject)]
    return {
        **_ours(subject),
        pixels.floor_name(subject): floor,
        pixels.noise_name(subject): pixels.noise(subject),
    }


def _seen(features: Features, images: Tensor, most: int) -> Tensor:
    """Features of at most so many images, in float64."""
    count = min(most, len(images))
    return features.extract(images[torch.arange(count) * len(images) // count]).double()
