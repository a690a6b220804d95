"""Surveys and the records of their imports."""
