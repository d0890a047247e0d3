"""A run as data: a named model, its data and how to train it; from options to config.yaml and back."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar, get_args, get_type_hints

import torch

from .. import data as datasets
from ..data import BUILTIN_DATASET, Dataset, PointCloudDataset
from ..models import MODEL_CONFIGS, GenerativeModel
from ..models.configs import ModelConfig
from ..train import run_dir as files
from ..train.config import TrainConfig
from ..utils import checks

if TYPE_CHECKING:
    from ..train.trainer import TrainingResult

M = TypeVar("M", bound=ModelConfig)


@dataclass(frozen=True)
class Run(Generic[M]):
    """Train a model, measure it on test data, and write its report."""

    model: M
    training: TrainConfig = field(default_factory=TrainConfig)
    data: str = "digits"
    """Data set: images digits, mnist, fashion-mnist, svhn, cifar10, lines; point clouds shapes, modelnet10; tables
    wine, breast-cancer, diabetes, letter, pbmc68k. Or a path: a folder of pictures, meshes or clouds, a text file with
    a table, a .h5ad, .npz or .npy file. digits, lines, shapes, wine, breast-cancer and diabetes need no files."""
    data_dir: Path | None = None
    """Folder of a data set's files; None: the environment's FASTLATENT_DATA, else ~/.cache/fastlatent."""
    download: bool = False
    """Fetch the files of a data set from where it is published, if they are missing."""
    image_size: int | None = None
    """Sides of the images in pixels; None: as they are."""
    label: str | None = None
    """Column with the classes of a text or .h5ad file: its name, or first or last; None: the one named label or class,
    if there is one."""
    labels_per_class: int | None = None
    """Examples of each class that keep their label in training, the others' being hidden; None: all."""
    points: int | None = None
    """Points of each cloud, of data sets of point clouds; None: all."""

    @property
    def name(self) -> str:
        """The model's name, as on the command line."""
        return next(name for name, made in MODEL_CONFIGS.items() if type(self.model) is made)

    def options(self) -> dict[str, Any]:
        """The options of model and data, flat, as config.yaml has them beside the trainer's."""
        of_data = {option.name: getattr(self, option.name) for option in fields(self)}
        del of_data["model"], of_data["training"]
        del of_data["download"]  # is wished anew each time
        return {**of_data, **asdict(self.model)}

    def prepare(self) -> tuple[GenerativeModel, Dataset]:
        """The model with its first weights, which the seed decides, and the data.

        Raises:
            FileNotFoundError: for data whose files are not there.
            OSError: if they are not to be fetched.
            TypeError, ValueError: for options outside what is said of them, or data that the model does not take.
        """
        self.training.check()
        data = self.load_data()
        data.train.check_batch(self.training.batch_size)
        torch.manual_seed(self.training.seed)
        return self.model.build(data.shape), data

    def fit(self, *, resume: bool = False) -> "Trained":
        """Prepare it and train it with `fastlatent.train.fit`, config.yaml complete; raises as these do.

        Args:
            resume: go on with the run in the folder `training.out`.
        """
        from ..train.trainer import fit  # here, for Fabric takes long to import

        model, data = self.prepare()
        done = fit(model, data, self.training, name=self.name, options=self.options(), resume=resume)
        return Trained(model, data, done)

    def load_data(self) -> Dataset:
        """The data that was asked for.

        Raises:
            FileNotFoundError: if its files are not there.
            OSError: if they are not to be fetched.
            ValueError: if the model does not take its kind, or an option does not fit it.
        """
        data = datasets.load(
            self.data, self.data_dir, download=self.download, image_size=self.image_size, label=self.label
        )
        if data.kind != self.model.data_kind:
            raise ValueError(f"this model takes {self.model.data_kind}; got {data.name}, which has {data.kind}")
        if self.points is not None:
            if not isinstance(data, PointCloudDataset):
                raise ValueError(f"points is an option of point clouds; got {data.name}, which has {data.kind}")
            data = data.with_points(self.points)
        if self.labels_per_class is not None:
            data = replace(data, train=data.train.keep_labels(self.labels_per_class))
        return data


def default_run(made: type[M]) -> Run[M]:
    """Training with the defaults, on data that the model takes and that needs no file."""
    return Run(made(), data=BUILTIN_DATASET[made.data_kind])


class Trained(NamedTuple):
    """A trained model, the data it was trained on, and the record of its training."""

    model: GenerativeModel
    data: Dataset
    fit: "TrainingResult"


class Loaded(NamedTuple):
    """What a run folder holds: the trained model, its data, and how it was trained."""

    model: GenerativeModel
    data: Dataset
    config: TrainConfig


def run_of(options: Mapping[str, Any]) -> Run:
    """The run with these options, flat as config.yaml has them; one that came later than the run has its default.

    Raises:
        ValueError: if its model was built by hand, so that its options are not among them.
    """
    made = MODEL_CONFIGS.get(options["model"])
    if made is None or options.keys().isdisjoint(option.name for option in fields(made)):
        raise ValueError(
            f"this is the run of a model built by hand ({options['model']}): its options cannot rebuild it"
        )
    return _run(made, options)


def run_with(options: Mapping[str, Any]) -> Run:
    """The run with these options, flat as config.yaml has them, the others being the defaults.

    Args:
        options: `model`, its name, and options of the model, the data and the training.

    Raises:
        ValueError: for a name that is no model's, or an option that there is not.
    """
    made = MODEL_CONFIGS[checks.choice("model", options["model"], tuple(MODEL_CONFIGS))]
    known = {option.name for part in (made, TrainConfig, Run) for option in fields(part)}
    if unknown := options.keys() - known:
        raise ValueError(f"options must be those of the model, its data and its training; got {', '.join(unknown)}")
    return _run(made, {"data": BUILTIN_DATASET[made.data_kind], **options})


def _run(made: type[ModelConfig], options: Mapping[str, Any]) -> Run:
    of_data = _values(Run, options)
    del of_data["model"]
    return Run(made(**_values(made, options)), TrainConfig(**_values(TrainConfig, options)), **of_data)


def read_run(folder: Path) -> Run:
    """The run of a folder, from its config.yaml alone; `out` is the folder.

    Raises:
        FileNotFoundError: if the folder holds no run.
        ValueError: if its model was built by hand.
    """
    run = run_of(files.read_config(folder))
    return replace(run, training=replace(run.training, out=folder))


def build_model(options: Mapping[str, Any]) -> GenerativeModel:
    """The model with these options, flat as config.yaml has them, and weights that are to be replaced.

    Raises:
        ValueError: as `run_of`.
    """
    with torch.random.fork_rng():  # weights are drawn, but nobody else's numbers change for it
        return run_of(options).model.build(options["shape"])


def load_model(folder: Path) -> GenerativeModel:
    """The trained model of a run folder, in evaluation mode on the processor; neither data nor a pickle is loaded.

    Raises:
        FileNotFoundError: if the folder holds no run, or one that was not trained to its end.
        ValueError: if its model was built by hand.
    """
    model = build_model(files.read_config(folder))
    files.load_checkpoint(folder, model)
    return model.eval()


def load_run(folder: Path) -> Loaded:
    """The trained model of a run folder as `load_model` gives it, its data and how it was trained.

    Raises:
        FileNotFoundError: as `load_model`, or if the files of its data are not there.
        ValueError: if its model was built by hand.
    """
    run = read_run(folder)
    return Loaded(load_model(folder), run.load_data(), run.training)


def _values(made: type, options: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of a dataclass among options that YAML gave: lists become tuples, strings paths."""
    hints, names = get_type_hints(made), [option.name for option in fields(made)]
    return {name: _value(hints[name], options[name]) for name in names if name in options}


def _value(hint: Any, value: Any) -> Any:
    if isinstance(value, list):
        return tuple(value)
    return Path(value) if value is not None and Path in get_args(hint) else value
