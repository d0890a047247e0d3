"""Fréchet and kernel distances of generated examples to test examples in features: PCA, a classifier, Inception."""

from collections.abc import Callable

import torch
from sklearn.decomposition import PCA
from torch import Tensor

from ...data.dataset import evenly_spaced_rows
from ...losses.frechet import frechet_distance
from ...losses.mmd import polynomial_mmd
from ...models import Autoencoder, TabularAutoencoder
from ..evaluated_model import EvaluatedModel
from ..features import inception as inception_network
from ..features.classifier import Features, classifier_features
from .result import MetricResult

PCA_COMPONENTS = 20
MAX_INCEPTION_IMAGES_ON_CPU = 1000  # of each set

PCA_GROUP = "Fréchet distance to test {}, {} principal components"
GROUP = "{} to test images in features of {}, {:,} images each"
SAMPLES = "samples of this model"
DISTANCES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "Fréchet distance": frechet_distance,
    "KID (cubic MMD, unbiased)": polynomial_mmd,
}


def pca(evaluated: EvaluatedModel) -> list[MetricResult]:
    """Compute the Fréchet distance of samples, training examples and noise to test examples in principal components.

    The components are fitted on training examples that are in none of these sets.

    Source: Dowson & Landau 1982, "The Fréchet distance between multivariate normal distributions".
    """
    model = evaluated.model
    vectors = model.columns.vectors if isinstance(model, TabularAutoencoder) else torch.nn.Flatten()
    fit_examples = vectors(evaluated.train.x[_num_floor_examples(evaluated) :]).cpu().numpy()
    components = PCA(min(PCA_COMPONENTS, *fit_examples.shape), random_state=0).fit(fit_examples)

    def project(x: Tensor) -> Tensor:
        return torch.from_numpy(components.transform(vectors(x).cpu().numpy())).double()

    group, test = PCA_GROUP.format(evaluated.data.kind, components.n_components_), project(evaluated.test.x)
    sets = {SAMPLES: evaluated.samples, **_baselines(evaluated)}
    return [
        MetricResult(group, label, float(frechet_distance(project(x), test)), is_model=label == SAMPLES)
        for label, x in sets.items()
    ]


def classifier(evaluated: EvaluatedModel) -> list[MetricResult]:
    """Compute the distances in features of a small classifier of the data set."""
    features = classifier_features(
        evaluated.data.name,
        evaluated.fully_labeled.labeled(),
        evaluated.data.test,
        evaluated.device,
        evaluated.classifier_dir,
    )
    return _distances(evaluated, features, len(evaluated.test.x))


def inception(evaluated: EvaluatedModel) -> list[MetricResult]:
    """Compute the distances in Inception features; an empty list without torch-fidelity and its weights."""
    if not inception_network.available() or evaluated.test.x.shape[1] not in (1, 3):
        return []
    count = len(evaluated.test.x)
    max_images = count if evaluated.device.type != "cpu" else min(MAX_INCEPTION_IMAGES_ON_CPU, count)
    return _distances(evaluated, inception_network.inception_features(evaluated.device), max_images)


def _distances(evaluated: EvaluatedModel, features: Features, max_images: int) -> list[MetricResult]:
    """Compute the distances of each set of images to test images, at most `max_images` of each.

    Source: Fréchet: Heusel et al. 2017; kernel: Bińkowski et al. 2018, "Demystifying MMD GANs".
    """
    generated = _generated_images(evaluated)
    sets = {**generated, **_baselines(evaluated)}
    features_by_label = {label: _extract(features, images, max_images) for label, images in sets.items()}
    test = _extract(features, evaluated.test.x, max_images)
    return [
        MetricResult(
            GROUP.format(name, features.name, len(test)), label, float(distance(x, test)), is_model=label in generated
        )
        for name, distance in DISTANCES.items()
        for label, x in features_by_label.items()
    ]


def _generated_images(evaluated: EvaluatedModel) -> dict[str, Tensor]:
    """Return the images of the model, by label."""
    if not isinstance(evaluated.model, Autoencoder):
        return {SAMPLES: evaluated.samples}
    return {
        SAMPLES: evaluated.samples,
        "reconstructions of test images": evaluated.reconstructions,
        "decoded midpoints between codes of test images": evaluated.midpoints,
    }


def _baselines(evaluated: EvaluatedModel) -> dict[str, Tensor]:
    """Return training examples and noise, by label."""
    kind, floor = evaluated.data.kind, evaluated.train.x[: _num_floor_examples(evaluated)]
    parts = "pixels" if kind == "images" else "columns"
    return {
        f"{len(floor):,} training {kind} (floor)": floor,
        f"independent {parts} of training {kind} (noise)": _noise(evaluated),
    }


def _num_floor_examples(evaluated: EvaluatedModel) -> int:
    """Return the number of training examples of the floor, to which no components are fitted."""
    return min(len(evaluated.test.x), len(evaluated.train.x) // 2)


def _noise(evaluated: EvaluatedModel) -> Tensor:
    """Return as many examples as in the test set, each pixel or column from a random training example."""
    train, count = evaluated.train.x.flatten(1), len(evaluated.test.x)
    rows = torch.randint(len(train), (count, train.shape[1]), generator=evaluated.generator(), device=train.device)
    return train.gather(0, rows).view(count, *evaluated.train.x.shape[1:])


def _extract(features: Features, images: Tensor, max_images: int) -> Tensor:
    """Compute features of at most `max_images` evenly spaced images, in float64."""
    rows = evenly_spaced_rows(len(images), min(max_images, len(images)))
    return features.extract(images[rows]).double()
