"""Encoder, decoder and critic networks."""

from .fully_connected import mlp as mlp
from .fully_connected import mlp_critic as mlp_critic
from .fully_connected import mlp_decoder as mlp_decoder
from .fully_connected import mlp_encoder as mlp_encoder
from .images import MeanPool as MeanPool
from .images import acai_critic as acai_critic
from .images import acai_decoder as acai_decoder
from .images import acai_encoder as acai_encoder
from .images import conv_decoder as conv_decoder
from .images import conv_encoder as conv_encoder
