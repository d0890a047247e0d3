"""Inception features, by torch-fidelity, where it is installed and its weights lie in torch's cache."""

from importlib.util import find_spec
from pathlib import Path

import torch
from torch import Tensor

from .classifier import Features

WEIGHTS = "weights-inception-2015-12-05-6726825d.pth"  # as torch-fidelity names and keeps them
POOLED = "2048"  # the features of the last pooling
BATCH = 50


def weights() -> Path:
    """Where torch-fidelity keeps the weights."""
    return Path(torch.hub.get_dir()) / "checkpoints" / WEIGHTS


def available() -> bool:
    """Whether torch-fidelity is installed and its weights are there; nothing is downloaded."""
    return find_spec("torch_fidelity") is not None and weights().is_file()


def inception_features(device: torch.device) -> Features:
    """The 2,048 pooled features of Inception-v3, as FID and KID are reported in.

    Images of one channel are shown with three equal ones.

    Args:
        device: on which they are extracted.

    Raises:
        ModuleNotFoundError: without torch-fidelity.
        FileNotFoundError: without the weights.

    Source: Heusel et al. 2017, "GANs trained by a two time-scale update rule converge to a local Nash equilibrium";
    Obukhov et al. 2020, torch-fidelity.
    """
    from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

    network = FeatureExtractorInceptionV3("inception", [POOLED], feature_extractor_weights_path=str(weights()))
    network = network.to(device)

    @torch.no_grad()
    def extract(images: Tensor) -> Tensor:
        color = (255 * images.clamp(0, 1)).round().to(torch.uint8).expand(-1, 3, -1, -1)
        return torch.cat([network(part)[0] for part in color.split(BATCH)])

    return Features("Inception-v3", extract)
