"""Turns volunteers' votes and the machine's projections into class probabilities."""
