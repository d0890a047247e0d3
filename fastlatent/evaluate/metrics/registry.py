"""The measures, by what they apply to, and `measure`, which takes all that fit."""

from collections.abc import Callable, Collection
from dataclasses import dataclass

import torch

from ...data import Dataset
from ...models import Autoencoder, ClusteringAAE, GenerativeModel
from ...priors import Normal
from ...utils import checks
from ..evaluated_model import EvaluatedModel
from . import clouds, clustering, critic, image_distances, normality, paths, pixels, probes, tables
from .result import MetricResult

Condition = Callable[[EvaluatedModel], bool]


def _of_kind(kind: str) -> Condition:
    return lambda subject: subject.data.kind == kind


IMAGES, CLOUDS, ROWS = map(_of_kind, ("images", "point clouds", "rows"))


def encodes(subject: EvaluatedModel) -> bool:
    """Whether the model has an encoder."""
    return isinstance(subject.model, Autoencoder)


def has_labels(subject: EvaluatedModel) -> bool:
    """Whether each test example has a label, of two or more, and some training examples have."""
    return subject.classes > 1 and len(subject.labeled.known()) > 0


def has_clusters(subject: EvaluatedModel) -> bool:
    """Whether the code is a cluster and a style."""
    return isinstance(subject.model, ClusteringAAE)


def has_lines(subject: EvaluatedModel) -> bool:
    """Whether the images are the lines whose interpolations have a right answer."""
    return subject.data.name == "lines"


def is_normal(subject: EvaluatedModel) -> bool:
    """Whether the prior is an isotropic Gaussian."""
    return isinstance(subject.model.prior, Normal)


@dataclass(frozen=True)
class Metric:
    """Numbers, and what they apply to.

    Args:
        numbers: finds them.
        applies: all must hold.
        quick: whether training reports them, as they take little time.
    """

    numbers: Callable[[EvaluatedModel], list[MetricResult]]
    applies: tuple[Condition, ...] = ()
    quick: bool = False

    @property
    def name(self) -> str:
        """Module and function of what finds them."""
        return f"{self.numbers.__module__.rpartition('.')[2]}.{self.numbers.__name__}"


METRICS = (
    Metric(pixels.reconstruction, (IMAGES, encodes), quick=True),
    Metric(clouds.reconstruction, (CLOUDS, encodes), quick=True),
    Metric(tables.reconstruction, (ROWS, encodes), quick=True),
    Metric(pixels.samples, (IMAGES,), quick=True),
    Metric(pixels.samples, (ROWS,), quick=True),
    Metric(clouds.samples, (CLOUDS,), quick=True),
    Metric(normality.mmd, (encodes,), quick=True),
    Metric(clustering.errors, (has_clusters, has_labels), quick=True),
    Metric(image_distances.in_features_of_classifier, (IMAGES, has_labels)),
    Metric(image_distances.in_inception_features, (IMAGES,)),
    Metric(clouds.sets, (CLOUDS,)),
    Metric(probes.accuracies, (encodes, has_labels)),
    Metric(probes.svm, (CLOUDS, encodes, has_labels)),
    Metric(paths.lines, (has_lines, encodes)),
    Metric(paths.realism, (encodes, is_normal)),
    Metric(critic.score, (IMAGES, encodes)),
    Metric(normality.losses, (encodes,)),
    Metric(normality.p_value, (encodes, is_normal)),
)


def measure(model: GenerativeModel, data: Dataset) -> list[MetricResult]:
    """The quick numbers of a model: samples and, if it has an encoder, reconstructions and codes.

    All is measured on `data.test`; features and baselines are fitted on `data.train` alone.

    Args:
        model: trained; on any device.
        data: the data it was trained on.
    """
    return compute_metrics(EvaluatedModel(model, data), ())


@torch.no_grad()
def compute_metrics(subject: EvaluatedModel, names: Collection[str] | None = None) -> list[MetricResult]:
    """The numbers of the measures that apply: of all, or of the quick ones and those of these names.

    Raises:
        ValueError: if there is no measure of a name.
    """
    for name in names or ():
        checks.choice("measure", name, [measure.name for measure in METRICS])
    wanted = [m for m in METRICS if names is None or m.quick or m.name in names]
    fitting = [m for m in wanted if all(holds(subject) for holds in m.applies)]
    return [number for measure in fitting for number in measure.numbers(subject)]
