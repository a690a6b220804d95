"""What volunteers may say of a picture beside their answer: tags, a comment, "this is strange"."""

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from protozoo.voting.exceptions import RemarksError
from protozoo.voting.models import MAX_COMMENT

# As many as fit under a picture, none longer than a line on a phone.
MAX_TAGS: Final = 10
MAX_TAG: Final = 40
# Control characters and halves of characters; in `_TURNS`, those that turn a text around.
_UNSEEN: Final = frozenset({"Cc", "Cs"})
_TURNS: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


@dataclass(frozen=True)
class Remarks:
    """Tags, whether somebody should have a look, and why."""

    tags: Sequence[str] = ()
    is_strange: bool = False
    comment: str = ""


def remarks_check(remarks: Remarks) -> Remarks:
    """Tidy what was said, or say what is wrong with it."""
    return Remarks(
        tags=tags_check(remarks.tags),
        is_strange=remarks.is_strange,
        comment=_comment_check(remarks.comment),
    )


def tags_check(tags: Iterable[str]) -> list[str]:
    """Give each tag once, in small letters with single spaces, in the order of the first ones."""
    tidy = dict.fromkeys(_tag_tidy(tag) for tag in tags)
    tidy.pop("", None)
    for tag in tidy:
        if len(tag) > MAX_TAG:
            raise RemarksError(
                f"A tag has at most {MAX_TAG} characters; {tag[:MAX_TAG]!r}… has {len(tag)}."
            )
    if len(tidy) > MAX_TAGS:
        raise RemarksError(f"A picture gets at most {MAX_TAGS} tags; these are {len(tidy)}.")
    return list(tidy)


def _tag_tidy(tag: str) -> str:
    # White space first: a line break between two words parts them and is no letter to leave out.
    return " ".join(_seen(" ".join(tag.split())).casefold().split())


def _comment_check(comment: str) -> str:
    lines = comment.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    tidy = "\n".join(_seen(line.replace("\t", " ")).rstrip() for line in lines).strip()
    if len(tidy) > MAX_COMMENT:
        raise RemarksError(
            f"A comment has at most {MAX_COMMENT:,} characters; this one has {len(tidy):,}."
        )
    return tidy


def _seen(text: str) -> str:
    """Leave out what nobody sees; what looks alike becomes the same."""
    kept = (
        letter
        for letter in text
        if unicodedata.category(letter) not in _UNSEEN and letter not in _TURNS
    )
    return unicodedata.normalize("NFC", "".join(kept))
