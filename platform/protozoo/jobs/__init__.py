"""Background work; the row in the database is the truth about it."""
