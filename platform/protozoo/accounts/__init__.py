"""People: users, roles, and volunteers with or without an account."""
