"""Reads and writes the data exports of Zooniverse (Panoptes): three kinds of CSV tables."""
