"""Runs as data: a named model, its data and the options of training; conversion to and from config.yaml."""

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
    """Train a model, evaluate it on test data, and write its report."""

    model: M
    training: TrainConfig = field(default_factory=TrainConfig)
    data: str = "digits"
    """Data set: images digits, mnist, fashion-mnist, svhn, cifar10, lines;
    point clouds shapes, modelnet10; tables wine, breast-cancer, diabetes, letter, pbmc68k.
    Or a path: a folder of images, meshes or clouds, a text file with a table, a .h5ad, .npz or .npy file.
    digits, lines, shapes, wine, breast-cancer and diabetes need no files."""  # the help keeps these line breaks
    data_dir: Path | None = None
    """Folder of the data set's files; None: the environment variable FASTLATENT_DATA, else ~/.cache/fastlatent."""
    download: bool = False
    """Download the files of the data set from its publisher, if they are missing."""
    image_size: int | None = None
    """Width and height of the images in pixels; None: unchanged."""
    label: str | None = None
    """Column of classes in a text or .h5ad file: its name, first or last; None: one such as label or class, if any."""
    labels_per_class: int | None = None
    """Labeled training examples per class; the labels of all others are hidden. None: all labels."""
    points: int | None = None
    """Points per cloud, for data sets of point clouds; None: all."""

    @property
    def name(self) -> str:
        """Name of the model, as on the command line."""
        return next(name for name, config in MODEL_CONFIGS.items() if type(self.model) is config)

    def options(self) -> dict[str, Any]:
        """Return the options of model and data, flat, as in config.yaml."""
        options = {option.name: getattr(self, option.name) for option in fields(self)}
        for name in ("model", "training", "download"):  # a repeated run downloads only with --download
            del options[name]
        return {**options, **asdict(self.model)}

    def prepare(self) -> tuple[GenerativeModel, Dataset]:
        """Return the model with its initial weights, determined by the seed, and the data.

        Raises:
            FileNotFoundError: if files of the data are missing.
            OSError: if they cannot be downloaded.
            TypeError, ValueError: for options outside their ranges, or data of another kind than the model's.
        """
        self.training.check()
        data = self.load_data()
        data.train.check_batch(self.training.batch_size)
        torch.manual_seed(self.training.seed)
        return self.model.build(data.shape), data

    def fit(self, *, resume: bool = False) -> "TrainedRun":
        """Prepare the run and train it with `fastlatent.train.fit`; the exceptions are those of both.

        Args:
            resume: resume the run in the folder `training.run_dir`.
        """
        from ..train.trainer import fit  # lazy: Fabric takes long to import

        model, data = self.prepare()
        result = fit(model, data, self.training, name=self.name, options=self.options(), resume=resume)
        return TrainedRun(model, data, result)

    def load_data(self) -> Dataset:
        """Return the data set.

        Raises:
            FileNotFoundError: if files of the data are missing.
            OSError: if they cannot be downloaded.
            ValueError: if the data is of another kind than the model's, or an option does not apply to it.
        """
        data = datasets.load(
            self.data, self.data_dir, download=self.download, image_size=self.image_size, label=self.label
        )
        if data.kind != self.model.data_kind:
            raise ValueError(f"this model takes {self.model.data_kind}; got {data.name}, which has {data.kind}")
        if self.points is not None:
            if not isinstance(data, PointCloudDataset):
                raise ValueError(f"points is an option of point clouds; got {data.name}, which has {data.kind}")
            data = data.take_points(self.points)
        if self.labels_per_class is not None:
            data = replace(data, train=data.train.keep_labels(self.labels_per_class))
        return data


def default_run(config: type[M]) -> Run[M]:
    """Return a run of a model with its default options, on a built-in data set."""
    return Run(config(), data=BUILTIN_DATASET[config.data_kind])


class TrainedRun(NamedTuple):
    """A trained model, its data, and the result of its training."""

    model: GenerativeModel
    data: Dataset
    result: "TrainingResult"


class LoadedRun(NamedTuple):
    """A trained model from a run folder, its data, and the options of its training."""

    model: GenerativeModel
    data: Dataset
    config: TrainConfig


def run_from_config(options: Mapping[str, Any]) -> Run:
    """Return the run with these options of config.yaml; missing options have their defaults.

    Raises:
        ValueError: if the model is not in `MODEL_CONFIGS`.
    """
    config = MODEL_CONFIGS.get(options["model"])
    if config is None or options.keys().isdisjoint(option.name for option in fields(config)):
        raise ValueError(
            f"model {options['model']} is not one of `fastlatent models`: the options of the run do not determine it"
        )
    return _build_run(config, options)


def run_from_options(options: Mapping[str, Any]) -> Run:
    """Return the run with these options, flat; missing options have their defaults.

    Args:
        options: the name of the model under `model`, and options of the model, the data and the training.

    Raises:
        ValueError: for an unknown model or option.
    """
    config = MODEL_CONFIGS[checks.choice("model", options["model"], tuple(MODEL_CONFIGS))]
    known = {option.name for part in (config, TrainConfig, Run) for option in fields(part)}
    if unknown := options.keys() - known:
        raise ValueError(f"options must be those of the model, its data and its training; got {', '.join(unknown)}")
    return _build_run(config, {"data": BUILTIN_DATASET[config.data_kind], **options})


def _build_run(config: type[ModelConfig], options: Mapping[str, Any]) -> Run:
    data_options = _arguments(Run, options)
    del data_options["model"]
    return Run(config(**_arguments(config, options)), TrainConfig(**_arguments(TrainConfig, options)), **data_options)


def read_run(run_dir: Path) -> Run:
    """Return the run of a folder from its config.yaml, with the folder as option `run_dir`.

    Args:
        run_dir: run folder.

    Raises:
        FileNotFoundError: if the folder holds no run.
        RunFormatError: if the run has another format.
        ValueError: if the model is not in `MODEL_CONFIGS`.
    """
    run = run_from_config(files.read_config(run_dir))
    return replace(run, training=replace(run.training, run_dir=run_dir))


def build_model(options: Mapping[str, Any]) -> GenerativeModel:
    """Build a model from the options in config.yaml, with random weights.

    Args:
        options: options of the run, of which those of the model and `shape` are used.

    Raises:
        ValueError: if the model is not in `MODEL_CONFIGS`.
    """
    with torch.random.fork_rng():  # the default generator's state is unchanged
        return run_from_config(options).model.build(options["shape"])


def load_model(run_dir: Path) -> GenerativeModel:
    """Return the trained model of a run folder, in evaluation mode on the CPU; nothing is unpickled.

    Args:
        run_dir: run folder.

    Raises:
        FileNotFoundError: if the folder holds no run, or an unfinished one.
        RunFormatError: if the run has another format.
        ValueError: if the model is not in `MODEL_CONFIGS`.
    """
    model = build_model(files.read_config(run_dir))
    files.load_checkpoint(run_dir, model)
    return model.eval()


def load_run(run_dir: Path) -> LoadedRun:
    """Return the trained model of a run folder (see `load_model`), its data, and the options of its training.

    Args:
        run_dir: run folder.

    Raises:
        FileNotFoundError: as `load_model`, or if files of the data are missing.
        RunFormatError: if the run has another format.
        ValueError: if the model is not in `MODEL_CONFIGS`.
    """
    run = read_run(run_dir)
    return LoadedRun(load_model(run_dir), run.load_data(), run.training)


def _arguments(cls: type, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of a dataclass among options read from YAML: lists become tuples, strings paths."""
    hints, names = get_type_hints(cls), [option.name for option in fields(cls)]
    return {name: _convert(hints[name], options[name]) for name in names if name in options}


def _convert(hint: Any, value: Any) -> Any:
    if isinstance(value, list):
        return tuple(value)
    return Path(value) if value is not None and Path in get_args(hint) else value
