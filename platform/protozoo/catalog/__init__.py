"""Releases: frozen, versioned, citable catalogs."""
