"""Positions: HEALPix indices and cone searches."""
