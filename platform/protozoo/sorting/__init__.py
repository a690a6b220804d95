"""Trained maps, their prototypes and every subject's place on them."""
