"""The things on the sky, and the way they come in from survey files."""
