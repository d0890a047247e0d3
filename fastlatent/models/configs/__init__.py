"""The models that have a name."""

from .aae import AAE, AAEClustering, AAEDimensionReduction, AAELabelled, AAESemiSupervised, AAESupervised
from .acai import ACAI, ACAIMMD, ACAIWWAE
from .base import AE as AE
from .base import Configuration as Configuration
from .base import DenoisingAE, DropoutAE
from .generators import GAN, VAE, VQVAE
from .point_clouds import AAE3D
from .tables import Tabular
from .wae import CWAE, SWAE, WAEMMD, WWAE, EppsPulleyAE, WAEWithCritic

CONFIGURATIONS: dict[str, type[Configuration]] = {
    "ae": AE,
    "ae-dropout": DropoutAE,
    "ae-denoising": DenoisingAE,
    "vae": VAE,
    "vq-vae": VQVAE,
    "gan": GAN,
    "wae-mmd": WAEMMD,
    "wae-gan": WAEWithCritic,
    "swae": SWAE,
    "cwae": CWAE,
    "wwae": WWAE,
    "wae-epps-pulley": EppsPulleyAE,
    "aae": AAE,
    "aae-labelled": AAELabelled,
    "aae-supervised": AAESupervised,
    "aae-semi-supervised": AAESemiSupervised,
    "aae-clustering": AAEClustering,
    "aae-dimension-reduction": AAEDimensionReduction,
    "acai": ACAI,
    "acai-wae-mmd": ACAIMMD,
    "acai-wwae": ACAIWWAE,
    "aae3d": AAE3D,
    "tabular": Tabular,
}
