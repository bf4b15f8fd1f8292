"""Causerie: raw recordings in, a published podcast out."""

__version__ = "0.2.0"
