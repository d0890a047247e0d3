"""Reconstruction errors of images, point clouds and rows of tables."""

import torch
from sklearn.decomposition import PCA
from torch import Tensor

from ...losses.chamfer import chamfer_distance
from ...models import Columns, TabularAutoencoder
from ..evaluated_model import EvaluatedModel
from .result import MetricResult

PIXELS = "Reconstruction error, per pixel"
CHAMFER = "Reconstruction error, Chamfer distance"
NUMERIC = "Reconstruction error of numeric columns, mean squared error of standardized values"
CATEGORICAL = "Reconstruction error of categorical columns, share of wrong categories"


def images(evaluated: EvaluatedModel) -> list[MetricResult]:
    """Compute the pixel error of the model, of PCA of the same dimension, and of the mean training image."""
    train, test = evaluated.train.x, evaluated.test.x
    flat = test.flatten(1).cpu().numpy()
    pca = PCA(min(evaluated.model.prior.dim, flat.shape[1]), random_state=0).fit(train.flatten(1).cpu().numpy())
    projected = torch.from_numpy(pca.inverse_transform(pca.transform(flat))).to(test)
    return [
        MetricResult(PIXELS, "this model", pixel_error(test, evaluated.reconstructions), is_model=True),
        MetricResult(PIXELS, _pca_label(pca), pixel_error(test.flatten(1), projected)),
        MetricResult(PIXELS, "mean training image", pixel_error(test, train.mean(0))),
    ]


def point_clouds(evaluated: EvaluatedModel) -> list[MetricResult]:
    """Compute the mean Chamfer distance of test clouds to their reconstructions and to random training clouds."""
    train, test = evaluated.train.x, evaluated.test.x
    rows = torch.randint(len(train), (len(test),), generator=evaluated.generator(), device=train.device)
    model, baseline = (float(chamfer_distance(test, x).mean()) for x in (evaluated.reconstructions, train[rows]))
    return [
        MetricResult(CHAMFER, "this model", model, is_model=True),
        MetricResult(CHAMFER, "random training point clouds", baseline),
    ]


def rows(evaluated: EvaluatedModel) -> list[MetricResult]:
    """Compute the column errors of the model, of PCA of the same dimension, and of the typical row.

    Raises:
        TypeError: if the model is not of tables.
    """
    if not isinstance(evaluated.model, TabularAutoencoder):
        raise TypeError(f"rows are reconstructed by a TabularAutoencoder; got {type(evaluated.model).__name__}")
    columns, train, test = evaluated.model.columns, evaluated.train.x, evaluated.test.x
    vectors, flat = columns.vectors(train).cpu().numpy(), columns.vectors(test).cpu().numpy()
    pca = PCA(min(evaluated.model.prior.dim, *vectors.shape), random_state=0).fit(vectors)
    projected = columns.rows(torch.from_numpy(pca.inverse_transform(pca.transform(flat))).to(test))
    reconstructions = {
        "this model": evaluated.reconstructions,
        f"{_pca_label(pca)}, one-hot categories": projected,
        "mean or most common category": typical_row(columns, train).expand_as(test),
    }
    errors = {label: column_errors(columns, test, x) for label, x in reconstructions.items()}
    return [
        MetricResult(group, label, float(error[indices].mean()), is_model=label == "this model")
        for group, indices in ((NUMERIC, columns.numeric), (CATEGORICAL, columns.categorical))
        if indices
        for label, error in errors.items()
    ]


def pixel_error(x: Tensor, reconstruction: Tensor) -> float:
    """Compute the mean of (x − x̂)² over images and pixels.

    Args:
        x: images (n, ...).
        reconstruction: x̂ (n, ...), or one for all images.
    """
    return float((x - reconstruction).square().mean())


def column_errors(columns: Columns, x: Tensor, reconstruction: Tensor) -> Tensor:
    """Compute the mean squared error of each numeric column and the error rate of each categorical one, (columns,).

    Args:
        columns: encoding of the columns.
        x: rows (n, columns).
        reconstruction: reconstructed rows (n, columns).
    """
    squares = (x - reconstruction).square()
    mismatches = (x != reconstruction).to(x.dtype)
    categorical = torch.tensor(columns.categories, device=x.device) > 0
    return torch.where(categorical, mismatches, squares).mean(0)


def typical_row(columns: Columns, train: Tensor) -> Tensor:
    """Return the row (1, columns) of the columns' means and most common categories."""
    return columns.rows(columns.vectors(train).mean(0, keepdim=True))


def _pca_label(pca: PCA) -> str:
    return f"PCA with {pca.n_components_} components"
