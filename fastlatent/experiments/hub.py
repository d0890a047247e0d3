"""Models on the Hugging Face hub: config.json, model.safetensors and a card; requires huggingface_hub."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch import nn

from ..models import MODEL_CONFIGS, GenerativeModel
from ..train.run_dir import (
    WEIGHTS,
    create_run_dir,
    load_checkpoint,
    load_weights,
    read_config,
    save_config,
    save_weights,
)
from ..utils.run_format import RUN_FORMAT, check_run_format
from .run import build_model

if TYPE_CHECKING:
    from ..evaluate import MetricResult

try:
    from huggingface_hub import ModelCard, PyTorchModelHubMixin, hf_hub_download
    from huggingface_hub.errors import HfHubHTTPError
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(f"the hub needs {error.name}: pip install huggingface_hub", name=error.name) from error

LOCAL_OPTIONS = ("data_dir", "run_dir")  # paths on this machine
DOWNLOAD_OPTIONS = ("revision", "cache_dir", "force_download", "local_files_only", "token")
HTTP_ERROR: type[Exception] = HfHubHTTPError.__bases__[0]  # of the HTTP client, which differs between versions
CARD = """---
{{ card_data }}
---

# {{ name }} on {{ data }}

{{ summary }} Source: {{ source }}.
{% if metrics %}
| On test data | |
|---|---|
{% for metric in metrics -%}
| {{ metric.group }} | {{ "%.4g" | format(metric.value) }} |
{% endfor %}{% endif %}
```python
from fastlatent.experiments.hub import HubModel

model = HubModel.from_pretrained("{{ repo }}").model  # nothing is unpickled
new = model.sample(16)
```
"""


class HubModel(
    nn.Module,
    PyTorchModelHubMixin,
    library_name="fastlatent",
    tags=["autoencoder"],
    model_card_template=CARD,
):
    """A named model with `save_pretrained`, `push_to_hub` and `from_pretrained`.

    Args:
        format: run format, an entry of config.json.
        options: options of its run as in config.yaml, the other entries of config.json.

    Attributes:
        options: options of its run.
        model: the model.
    """

    def __init__(self, *, format: int = RUN_FORMAT, **options: Any) -> None:
        super().__init__()
        self.options, self.model = options, build_model(options)

    @classmethod
    def from_run(cls, run_dir: Path) -> "HubModel":
        """Return the trained model of a run folder.

        Raises:
            FileNotFoundError: if the folder has no trained model.
            RunFormatError: if the run has another format.
            ValueError: if the model is not in `MODEL_CONFIGS`.
        """
        options = {name: value for name, value in read_config(run_dir).items() if name not in LOCAL_OPTIONS}
        options["data"] = Path(options["data"]).name  # it may be a path
        hub_model = cls(**options)
        load_checkpoint(run_dir, hub_model.model)
        return hub_model.eval()

    def generate_model_card(self, *, repo: str = "USER/NAME", metrics: Sequence["MetricResult"] = ()) -> ModelCard:
        """Return the README.md of the model, with a table of metrics."""
        config = MODEL_CONFIGS[self.options["model"]]
        return super().generate_model_card(
            **{"name": self.options["model"], "data": self.options["data"], "repo": repo, "metrics": metrics},
            **{"summary": (config.__doc__ or "").splitlines()[0], "source": config.source},
        )

    def _save_pretrained(self, save_directory: Path) -> None:
        save_weights(save_directory / WEIGHTS, self.model.state_dict())

    @classmethod
    def _from_pretrained(cls, *, model_id: str, **options: Any) -> "HubModel":
        """Load from a folder or repository; unlike the inherited method, never from a pickle."""
        download = {name: options.pop(name) for name in DOWNLOAD_OPTIONS}
        if "model" not in options:
            raise ValueError(f"{model_id} holds no model of fastlatent: no config.json with its options")
        check_run_format(model_id, options)
        if "shape" not in options:
            raise ValueError(f"config.json of {model_id} is damaged: it has no shape")
        local, hub_model = Path(model_id), cls(**options)
        weights = local / WEIGHTS if local.is_dir() else hf_hub_download(model_id, WEIGHTS, **download)
        load_weights(Path(weights), hub_model.model)
        return hub_model.eval()


def push(run_dir: Path, repo: str, *, private: bool | None = None) -> str:
    """Upload the trained model of a run folder: its weights, its options and a card with its metrics.

    Args:
        run_dir: run folder.
        repo: repository "USER/NAME" on the hub, created if it does not exist.
        private: whether a new repository is private; None: the account's default.

    Returns:
        URL of the commit.

    Raises:
        FileNotFoundError: if the run folder has no trained model.
        RunFormatError: if the run has another format.
        ValueError: if the model is not in `MODEL_CONFIGS`, or for a name that the hub does not allow.
        OSError: if the hub cannot be reached, or returns an error.
    """
    from ..evaluate.report.results import RESULTS, read_results  # lazy: matplotlib takes long to import

    hub_model = HubModel.from_run(run_dir)
    results = read_results(run_dir) if (run_dir / RESULTS).is_file() else []
    card = {"repo": repo, "metrics": [result for result in results if result.is_model]}
    with _hub_errors():
        return hub_model.push_to_hub(repo, private=private, model_card_kwargs=card)


def pull(repo: str, run_dir: Path) -> GenerativeModel:
    """Download a model to a run folder, for `fastlatent.experiments.load_model` and `fastlatent export`.

    Args:
        repo: repository "USER/NAME" on the hub.
        run_dir: run folder, new or empty.

    Returns:
        The model.

    Raises:
        FileExistsError: if the folder is not empty.
        RunFormatError: if the model was pushed in another format.
        ValueError: if the repository holds another kind of model.
        OSError: if the hub cannot be reached, or returns an error.
    """
    create_run_dir(run_dir)
    with _hub_errors():
        hub_model = HubModel.from_pretrained(repo)
    save_config(run_dir, hub_model.options)
    save_weights(run_dir / WEIGHTS, hub_model.model.state_dict())
    return hub_model.model


@contextmanager
def _hub_errors() -> Iterator[None]:
    try:
        yield
    except HTTP_ERROR as error:
        raise OSError(f"Hugging Face hub: {' '.join(str(error).split())}") from error
