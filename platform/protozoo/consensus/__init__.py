"""Merges votes with the machine's projections, and holds the scientists' reviews."""
