"""Reads, cuts, stores and shows pixels; needs no torch."""
