"""What the keys of a question tree are called on pages, and their numbers for shapes and colors."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from protozoo.voting.models import Question
from protozoo.voting.trees import leaves

# The style sheet knows so many shapes and colors.
MAX_NUMBER: Final = 8


@dataclass(frozen=True)
class Label:
    """One possible answer: its key, its name for people, its number from 1."""

    key: str
    name: str
    number: int
    is_class: bool

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class LabelShare:
    """A label and its share of something: a probability or a part of the votes."""

    label: Label
    probability: float
    n_votes: int = 0

    @property
    def number(self) -> int:
        return self.label.number


class Labels(Mapping[str, Label]):
    """All labels of a question by key, in the tree's order; a stranger is called by its key."""

    def __init__(self, question: Question) -> None:
        found: dict[str, Label] = {}
        for answer in leaves(question.tree):
            number = min(len(found) + 1, MAX_NUMBER)
            is_class = answer.get("means") == "class"
            found[answer["key"]] = Label(answer["key"], answer["label"], number, is_class)
        self._found = found

    def __getitem__(self, key: str) -> Label:
        return self._found.get(key) or Label(key, key, MAX_NUMBER, is_class=False)

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)

    @property
    def classes(self) -> list[Label]:
        return [label for label in self.values() if label.is_class]

    def shares(self, keys: Sequence[str], probabilities: Sequence[float]) -> list[LabelShare]:
        """Pair keys with probabilities."""
        pairs = zip(keys, probabilities, strict=True)
        return [LabelShare(self[key], probability) for key, probability in pairs]

    def counts(self, n_votes_by_key: Mapping[str, int]) -> list[LabelShare]:
        """Turn numbers of votes into shares, the most voted first."""
        total = sum(n_votes_by_key.values())
        ranked = sorted(n_votes_by_key.items(), key=lambda pair: -pair[1])
        return [LabelShare(self[key], n / total, n) for key, n in ranked]
