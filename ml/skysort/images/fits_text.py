"""Says words in the characters that a FITS header allows."""

import unicodedata

__all__ = ["plain_text"]


def plain_text(said: object) -> str:
    """Leave out accents, and put a question mark for what ASCII has not.

    Examples
    --------
    >>> plain_text("Karl  Méndez ☉")
    'Karl Mendez ?'
    """
    plain = unicodedata.normalize("NFKD", str(said))
    kept = "".join(character for character in plain if not unicodedata.combining(character))
    return " ".join(kept.encode("ascii", "replace").decode("ascii").split())
