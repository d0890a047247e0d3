"""Fast, exact losses for the latent space of autoencoders, drop-in for PyTorch."""

__version__ = "0.1.0"
