"""What the keys of a question tree are called on pages, and their numbers for shapes and colors."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrOrPromise

from protozoo.voting.models import Question
from protozoo.voting.showcase import MAX_NUMBER, numbered_answers
from protozoo.voting.trees import MIXED


@dataclass(frozen=True)
class Label:
    """One possible answer: its key, its name for people, its number from 1."""

    key: str
    name: StrOrPromise
    number: int
    is_class: bool

    def __str__(self) -> str:
        return str(self.name)


# What a subject is called that no prototype resembles and nobody has judged.
UNKNOWN: Final = Label("unknown", _("Unknown"), MAX_NUMBER, is_class=False)
# What is said of a grid instead of ticks.
TOO_MIXED: Final = Label("too_mixed", _("Too mixed to say"), MAX_NUMBER, is_class=False)


@dataclass(frozen=True)
class LabelShare:
    """A label and its share of something: a probability or a part of the votes."""

    label: Label
    probability: float
    n_votes: int = 0

    @property
    def number(self) -> int:
        return self.label.number


class Labels:
    """All labels of a question in the tree's order; a stranger is called by its key."""

    def __init__(self, question: Question) -> None:
        self.all = [
            Label(
                one.answer["key"],
                one.answer["label"],
                one.number,
                is_class=one.answer.get("means") == "class",
            )
            for one in numbered_answers(question.tree)
        ]
        self._by_key = {label.key: label for label in self.all}

    def of(self, key: str) -> Label:
        return self._by_key.get(key) or Label(key, key, MAX_NUMBER, is_class=False)

    @property
    def classes(self) -> list[Label]:
        return [label for label in self.all if label.is_class]

    def of_groups(self) -> list[Label]:
        """Give what a prototype can be: a class, or a mixed group."""
        return [label for label in self.all if label.is_class or label.key == MIXED]

    def shares(self, keys: Sequence[str], probabilities: Sequence[float]) -> list[LabelShare]:
        """Pair keys with probabilities."""
        pairs = zip(keys, probabilities, strict=True)
        return [LabelShare(self.of(key), probability) for key, probability in pairs]

    def counts(self, n_votes_by_key: Mapping[str, int]) -> list[LabelShare]:
        """Turn numbers of votes into shares, the most voted first."""
        total = sum(n_votes_by_key.values())
        ranked = sorted(n_votes_by_key.items(), key=lambda pair: -pair[1])
        return [LabelShare(self.of(key), n / total, n) for key, n in ranked]
