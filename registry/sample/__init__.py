"""The synthetic district: `generate` makes frames of entities and records with a planted, documented risk."""

from registry.sample.generator import SIZES, Sample, draw_outcomes, generate
from registry.sample.latent import LATENT, LATENT_B, Latent, load_latent

__all__ = ["LATENT", "LATENT_B", "SIZES", "Latent", "Sample", "draw_outcomes", "generate", "load_latent"]
