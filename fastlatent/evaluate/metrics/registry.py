"""The measures, by what they apply to, and `measure`, which takes all that fit."""

from collections.abc import Callable, Collection
from dataclasses import dataclass

import torch

from ...data import Data
from ...models import Autoencoder, ClusteringAAE, Generative
from ...priors import Normal
from ...utils import checks
from ..evaluated_model import Subject
from . import clouds, clustering, critic, image_distances, normality, paths, pixels, probes, tables
from .result import Number

Condition = Callable[[Subject], bool]


def _of_kind(kind: str) -> Condition:
    return lambda subject: subject.data.kind == kind


IMAGES, CLOUDS, ROWS = map(_of_kind, ("images", "point clouds", "rows"))


def encodes(subject: Subject) -> bool:
    """Whether the model has an encoder."""
    return isinstance(subject.model, Autoencoder)


def has_labels(subject: Subject) -> bool:
    """Whether each test example has a label, of two or more, and some training examples have."""
    return subject.classes > 1 and len(subject.labelled.known()) > 0


def has_clusters(subject: Subject) -> bool:
    """Whether the code is a cluster and a style."""
    return isinstance(subject.model, ClusteringAAE)


def has_lines(subject: Subject) -> bool:
    """Whether the images are the lines whose interpolations have a right answer."""
    return subject.data.name == "lines"


def is_normal(subject: Subject) -> bool:
    """Whether the prior is an isotropic Gaussian."""
    return isinstance(subject.model.prior, Normal)


@dataclass(frozen=True)
class Measure:
    """Numbers, and what they apply to.

    Args:
        numbers: finds them.
        applies: all must hold.
        quick: whether training reports them, as they take little time.
    """

    numbers: Callable[[Subject], list[Number]]
    applies: tuple[Condition, ...] = ()
    quick: bool = False

    @property
    def name(self) -> str:
        """Module and function of what finds them."""
        return f"{self.numbers.__module__.rpartition('.')[2]}.{self.numbers.__name__}"


MEASURES = (
    Measure(pixels.reconstruction, (IMAGES, encodes), quick=True),
    Measure(clouds.reconstruction, (CLOUDS, encodes), quick=True),
    Measure(tables.reconstruction, (ROWS, encodes), quick=True),
    Measure(pixels.samples, (IMAGES,), quick=True),
    Measure(pixels.samples, (ROWS,), quick=True),
    Measure(clouds.samples, (CLOUDS,), quick=True),
    Measure(normality.mmd, (encodes,), quick=True),
    Measure(clustering.errors, (has_clusters, has_labels), quick=True),
    Measure(image_distances.in_features_of_classifier, (IMAGES, has_labels)),
    Measure(image_distances.in_inception_features, (IMAGES,)),
    Measure(clouds.sets, (CLOUDS,)),
    Measure(probes.accuracies, (encodes, has_labels)),
    Measure(probes.svm, (CLOUDS, encodes, has_labels)),
    Measure(paths.lines, (has_lines, encodes)),
    Measure(paths.realism, (encodes, is_normal)),
    Measure(critic.score, (IMAGES, encodes)),
    Measure(normality.losses, (encodes,)),
    Measure(normality.p_value, (encodes, is_normal)),
)


def measure(model: Generative, data: Data) -> list[Number]:
    """The quick numbers of a model: samples and, if it has an encoder, reconstructions and codes.

    All is measured on `data.test`; features and baselines are fitted on `data.train` alone.

    Args:
        model: trained; on any device.
        data: the data it was trained on.
    """
    return measure_subject(Subject(model, data), ())


@torch.no_grad()
def measure_subject(subject: Subject, names: Collection[str] | None = None) -> list[Number]:
    """The numbers of the measures that apply: of all, or of the quick ones and those of these names.

    Raises:
        ValueError: if there is no measure of a name.
    """
    for name in names or ():
        checks.choice("measure", name, [measure.name for measure in MEASURES])
    wanted = [m for m in MEASURES if names is None or m.quick or m.name in names]
    fitting = [m for m in wanted if all(holds(subject) for holds in m.applies)]
    return [number for measure in fitting for number in measure.numbers(subject)]
