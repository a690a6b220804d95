"""Strings the stages together; the only room that knows them all."""
