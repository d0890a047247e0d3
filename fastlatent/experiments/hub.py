"""Models on the Hugging Face hub: config.json, model.safetensors and a card. Needs the package huggingface_hub."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safetensors.torch import load_file
from torch import nn

from ..models import MODEL_CONFIGS, GenerativeModel
from ..train.run_dir import (
    WEIGHTS,
    load_checkpoint,
    new_folder,
    read_config,
    save_config,
    save_weights,
)
from .run import build_model

if TYPE_CHECKING:
    from ..evaluate import MetricResult

try:
    from huggingface_hub import ModelCard, PyTorchModelHubMixin, hf_hub_download
    from huggingface_hub.errors import HfHubHTTPError
except ModuleNotFoundError as missing:
    raise ModuleNotFoundError(
        f"the hub needs {missing.name}: pip install huggingface_hub", name=missing.name
    ) from missing

HERE = ("data_dir", "out")  # options that say where things are on this machine
DOWNLOAD = ("revision", "cache_dir", "force_download", "local_files_only", "token")  # what downloads are told
HTTP_ERROR: type[Exception] = HfHubHTTPError.__bases__[
    0
]  # of the HTTP client, another one in each generation of huggingface_hub
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

model = HubModel.from_pretrained("{{ repo }}").model  # no pickle is loaded
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
    """A named model as the hub keeps it, with `save_pretrained`, `push_to_hub` and `from_pretrained`.

    Args:
        options: of its run, flat as config.yaml has them, which become config.json.

    Attributes:
        model: the model itself.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__()
        self.options, self.model = options, build_model(options)

    @classmethod
    def of_run(cls, folder: Path) -> "HubModel":
        """The trained model of a run folder.

        Raises:
            FileNotFoundError: if there is none.
            ValueError: if it was built by hand.
        """
        options = {name: value for name, value in read_config(folder).items() if name not in HERE}
        made = cls(**{**options, "data": Path(options["data"]).name})  # which may be a path
        load_checkpoint(folder, made.model)
        return made.eval()

    def generate_model_card(self, *, repo: str = "USER/NAME", metrics: Sequence["MetricResult"] = ()) -> ModelCard:
        """Return the README.md of the model, with metrics."""
        made = MODEL_CONFIGS[self.options["model"]]
        return super().generate_model_card(
            **{"name": self.options["model"], "data": self.options["data"], "repo": repo, "metrics": metrics},
            **{"summary": (made.__doc__ or "").splitlines()[0], "source": made.source},
        )

    def _save_pretrained(self, save_directory: Path) -> None:
        save_weights(save_directory / WEIGHTS, self.model.state_dict())

    @classmethod
    def _from_pretrained(cls, *, model_id: str, **options: Any) -> "HubModel":
        """Unlike the inherited one, it never falls back on a pickle."""
        download = {name: options.pop(name) for name in DOWNLOAD}
        if "model" not in options:
            raise ValueError(f"{model_id} holds no model of fastlatent: no config.json with its options")
        local, made = Path(model_id), cls(**options)
        weights = local / WEIGHTS if local.is_dir() else hf_hub_download(model_id, WEIGHTS, **download)
        made.model.load_state_dict(load_file(weights))
        return made.eval()


def push(run: Path, repo: str, *, private: bool | None = None) -> str:
    """Upload the trained model of a run folder: its weights, its options and a card with the numbers of its report.

    Args:
        run: a run folder.
        repo: "USER/NAME" on the hub, made if it is not there.
        private: whether a new one is; None: as the account has it.

    Returns:
        The address of the commit.

    Raises:
        FileNotFoundError: if there is no trained model in `run`.
        ValueError: if its model was built by hand, or for a name that the hub does not allow.
        OSError: if the hub cannot be reached, or refuses.
    """
    from ..evaluate.report.results import RESULTS, read_results  # imports matplotlib

    results = read_results(run) if (run / RESULTS).is_file() else []
    metrics = [result for result in results if result.is_model]
    with _hub_errors():
        return HubModel.of_run(run).push_to_hub(
            repo, private=private, model_card_kwargs={"repo": repo, "metrics": metrics}
        )


def pull(repo: str, folder: Path) -> GenerativeModel:
    """Download a model into a folder from which `fastlatent.experiments.load_model` and `fastlatent export` take it.

    Args:
        repo: "USER/NAME" on the hub.
        folder: new or empty.

    Returns:
        The model.

    Raises:
        FileExistsError: if something is in the folder.
        ValueError: if the hub has another kind of model there.
        OSError: if the hub cannot be reached, or refuses.
    """
    new_folder(folder)
    with _hub_errors():
        made = HubModel.from_pretrained(repo)
    save_config(folder, made.options)
    save_weights(folder / WEIGHTS, made.model.state_dict())
    return made.model


@contextmanager
def _hub_errors() -> Iterator[None]:
    try:
        yield
    except HTTP_ERROR as error:
        raise OSError(f"Hugging Face hub: {' '.join(str(error).split())}") from error
