"""Adversarial autoencoders (Makhzani et al. 2015, "Adversarial Autoencoders")."""
