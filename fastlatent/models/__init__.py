"""Autoencoders: an encoder, a decoder, and a loss from `fastlatent.losses`."""

from .autoencoder import Autoencoder as Autoencoder
from .configurations import CONFIGURATIONS as CONFIGURATIONS
from .networks import mlp_decoder as mlp_decoder
from .networks import mlp_encoder as mlp_encoder
from .phase import Batch as Batch
from .phase import Phase as Phase
from .wae import WAE as WAE
