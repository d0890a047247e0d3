"""Registry of metrics with the conditions under which they apply, and their computation for a model."""

from collections.abc import Callable, Collection
from dataclasses import dataclass

import torch

from ...data import Dataset
from ...models import Autoencoder, ClusteringAAE, GenerativeModel
from ...priors import Normal
from ...utils import checks
from ..evaluated_model import EvaluatedModel
from . import clustering, feature_distances, interpolation, normality, point_cloud_metrics, probes, reconstruction
from .result import MetricResult

Condition = Callable[[EvaluatedModel], bool]


def _of_kind(kind: str) -> Condition:
    return lambda evaluated: evaluated.data.kind == kind


IMAGES, CLOUDS, ROWS = map(_of_kind, ("images", "point clouds", "rows"))


def has_encoder(evaluated: EvaluatedModel) -> bool:
    """Return whether the model has an encoder."""
    return isinstance(evaluated.model, Autoencoder)


def has_labels(evaluated: EvaluatedModel) -> bool:
    """Return whether all test examples and some training examples are labeled, with at least two classes."""
    return evaluated.num_classes > 1 and len(evaluated.fully_labeled.labeled()) > 0


def has_clusters(evaluated: EvaluatedModel) -> bool:
    """Return whether codes consist of a cluster and a style."""
    return isinstance(evaluated.model, ClusteringAAE)


def is_lines(evaluated: EvaluatedModel) -> bool:
    """Return whether the data set is `lines`, in which the correct interpolations are known."""
    return evaluated.data.name == "lines"


def has_normal_prior(evaluated: EvaluatedModel) -> bool:
    """Return whether the prior is an isotropic Gaussian."""
    return isinstance(evaluated.model.prior, Normal)


@dataclass(frozen=True)
class Metric:
    """Metric with the conditions under which it applies.

    Args:
        compute: function from a model to results.
        conditions: conditions on the model, all necessary.
        quick: whether `fastlatent train` reports it.
    """

    compute: Callable[[EvaluatedModel], list[MetricResult]]
    conditions: tuple[Condition, ...] = ()
    quick: bool = False

    @property
    def name(self) -> str:
        """Module and function of the metric, such as "normality.mmd"."""
        return f"{self.compute.__module__.rpartition('.')[2]}.{self.compute.__name__}"

    def applies_to(self, evaluated: EvaluatedModel) -> bool:
        """Return whether all conditions are true."""
        return all(condition(evaluated) for condition in self.conditions)


METRICS = (
    Metric(reconstruction.images, (IMAGES, has_encoder), quick=True),
    Metric(reconstruction.point_clouds, (CLOUDS, has_encoder), quick=True),
    Metric(reconstruction.rows, (ROWS, has_encoder), quick=True),
    Metric(feature_distances.pca, (IMAGES,), quick=True),
    Metric(feature_distances.pca, (ROWS,), quick=True),
    Metric(point_cloud_metrics.chamfer_matching, (CLOUDS,), quick=True),
    Metric(normality.mmd, (has_encoder,), quick=True),
    Metric(clustering.error_rates, (has_clusters, has_labels), quick=True),
    Metric(feature_distances.classifier, (IMAGES, has_labels)),
    Metric(feature_distances.inception, (IMAGES,)),
    Metric(point_cloud_metrics.divergence_and_coverage, (CLOUDS,)),
    Metric(probes.accuracies, (has_encoder, has_labels)),
    Metric(probes.svm, (CLOUDS, has_encoder, has_labels)),
    Metric(interpolation.lines, (is_lines, has_encoder)),
    Metric(interpolation.realism_index, (has_encoder, has_normal_prior)),
    Metric(interpolation.critic_r2, (IMAGES, has_encoder)),
    Metric(normality.losses, (has_encoder,)),
    Metric(normality.p_value, (has_encoder, has_normal_prior)),
)


def compute_quick_metrics(model: GenerativeModel, data: Dataset) -> list[MetricResult]:
    """Compute the quick metrics that apply to a model: of samples and, with an encoder, of reconstructions and codes.

    All are computed on `data.test`; features and baselines are fitted on `data.train` alone.

    Args:
        model: trained model, on any device.
        data: data set of the training.
    """
    return compute_metrics(EvaluatedModel(model, data), ())


@torch.no_grad()
def compute_metrics(evaluated: EvaluatedModel, names: Collection[str] | None = None) -> list[MetricResult]:
    """Compute the metrics that apply to a model.

    Args:
        evaluated: trained model with its data.
        names: names of metrics in addition to the quick ones; None: all.

    Raises:
        ValueError: for a name that is not in `METRICS`.
    """
    for name in names or ():
        checks.choice("metric", name, [metric.name for metric in METRICS])
    metrics = [m for m in METRICS if names is None or m.quick or m.name in names]
    return [result for metric in metrics if metric.applies_to(evaluated) for result in metric.compute(evaluated)]
