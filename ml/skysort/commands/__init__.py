"""One module per command: `add` registers it, `run` does it and gives what is printed.

What takes long to import, above all torch and astropy, is imported inside of `run`, so that
`skysort --help` answers at once.
"""
