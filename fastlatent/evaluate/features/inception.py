"""Inception-v3 features by torch-fidelity, if it is installed and its weights are in torch's cache."""

from importlib.util import find_spec
from pathlib import Path

import torch
from torch import Tensor

from .classifier import Features

WEIGHTS = "weights-inception-2015-12-05-6726825d.pth"  # torch-fidelity's file name
LAYER = "2048"  # torch-fidelity's name of the final average pooling
BATCH = 50


def weights_path() -> Path:
    """Return the path of torch-fidelity's weights."""
    return Path(torch.hub.get_dir()) / "checkpoints" / WEIGHTS


def available() -> bool:
    """Return whether torch-fidelity is installed and its weights are cached; nothing is downloaded."""
    return find_spec("torch_fidelity") is not None and weights_path().is_file()


def inception_features(device: torch.device) -> Features:
    """Return the extractor of the 2,048 pooled features of Inception-v3, those of FID and KID.

    Grayscale images are repeated over three channels.

    Args:
        device: device of the feature extraction.

    Raises:
        ModuleNotFoundError: if torch-fidelity is not installed.
        FileNotFoundError: if the weights are not cached.

    Source: Heusel et al. 2017, "GANs trained by a two time-scale update rule converge to a local Nash equilibrium";
    Obukhov et al. 2020, torch-fidelity.
    """
    from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

    network = FeatureExtractorInceptionV3("inception", [LAYER], feature_extractor_weights_path=str(weights_path()))
    network = network.to(device)

    @torch.no_grad()
    def extract(images: Tensor) -> Tensor:
        color = (255 * images.clamp(0, 1)).round().to(torch.uint8).expand(-1, 3, -1, -1)
        return torch.cat([network(part)[0] for part in color.split(BATCH)])

    return Features("Inception-v3", extract)
