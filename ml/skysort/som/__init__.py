"""Rotation- and flip-invariant self-organizing maps."""
