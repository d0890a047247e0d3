"""Registry of named model configurations."""

from .aae import (
    AAEClusteringConfig,
    AAEConfig,
    AAEDimensionReductionConfig,
    AAELabeledConfig,
    AAESemiSupervisedConfig,
    AAESupervisedConfig,
)
from .acai import ACAIConfig, ACAIMMDConfig, ACAIWWAEConfig
from .base import AEConfig as AEConfig
from .base import DenoisingAEConfig, DropoutAEConfig
from .base import ModelConfig as ModelConfig
from .generators import GANConfig, VAEConfig, VQVAEConfig
from .point_clouds import AAE3DConfig
from .tables import TabularConfig
from .wae import CWAEConfig, SWAEConfig, WAEEppsPulleyConfig, WAEGANConfig, WAEMMDConfig, WWAEConfig

MODEL_CONFIGS: dict[str, type[ModelConfig]] = {
    "ae": AEConfig,
    "ae-dropout": DropoutAEConfig,
    "ae-denoising": DenoisingAEConfig,
    "vae": VAEConfig,
    "vq-vae": VQVAEConfig,
    "gan": GANConfig,
    "wae-mmd": WAEMMDConfig,
    "wae-gan": WAEGANConfig,
    "swae": SWAEConfig,
    "cwae": CWAEConfig,
    "wwae": WWAEConfig,
    "wae-epps-pulley": WAEEppsPulleyConfig,
    "aae": AAEConfig,
    "aae-labeled": AAELabeledConfig,
    "aae-supervised": AAESupervisedConfig,
    "aae-semi-supervised": AAESemiSupervisedConfig,
    "aae-clustering": AAEClusteringConfig,
    "aae-dimension-reduction": AAEDimensionReductionConfig,
    "acai": ACAIConfig,
    "acai-wae-mmd": ACAIMMDConfig,
    "acai-wwae": ACAIWWAEConfig,
    "aae3d": AAE3DConfig,
    "tabular": TabularConfig,
}
