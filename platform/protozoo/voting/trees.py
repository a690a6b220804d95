"""Question trees: what a volunteer is asked, step by step, and what each last answer means."""

import json
import re
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal, NotRequired, TypedDict, cast

from django.utils.translation import gettext

from protozoo.voting.exceptions import AnswerError, TreeError

FOLDER: Final = Path(__file__).parent / "question_trees"
DEFAULT: Final = "radio_morphology"
KINDS: Final = ("prototype", "outlier", "subject", "audit", "gold")
# Single subjects are asked alike, lest a volunteer tell by the answers why one is shown.
SINGLE_KINDS: Final = KINDS[1:]
# What a leaf says of a group whose members are of several kinds; no class of the catalog.
MIXED: Final = "mixed"
# What of a tree people read.
TEXTS: Final = ("text", "help", "label")
MEANINGS: Final = ("class", MIXED, "unknown")
SHAPES: Final = ("point", "box")
# Digit keys choose a role, and there are nine of them.
MOST_ROLES: Final = 9
# Nobody marks so many spots on one picture in earnest.
MOST_MARKS: Final = 30
# Leaf keys name columns of the catalog, and a vote keeps them in 60 characters.
KEY: Final = re.compile(r"[a-z][a-z0-9_]{0,59}")


class Answer(TypedDict):
    """One button: it leads on to another question, or is a leaf and means something."""

    key: str
    label: str
    help: NotRequired[str]
    means: NotRequired[Literal["class", "mixed", "unknown"] | None]
    next: NotRequired[str | None]
    kinds: NotRequired[list[str]]
    asks_marks: NotRequired[bool]


class Step(TypedDict):
    """One question and its answers."""

    text: str
    help: NotRequired[str]
    answers: list[Answer]


class Role(TypedDict):
    """What a spot in a picture may be marked as: at most so often, by a point or by a box."""

    key: str
    label: str
    help: NotRequired[str]
    shape: Literal["point", "box"]
    most: int


class Tree(TypedDict):
    """All questions, the key of the first, and the roles that may be marked in pictures."""

    root: str
    questions: dict[str, Step]
    marks: NotRequired[list[Role]]


@cache
def _default_text() -> str:
    return (FOLDER / f"{DEFAULT}.json").read_text(encoding="utf-8")


def tree_read(path: Path) -> Any:
    """Read a tree from a JSON file; it is still to be checked."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise TreeError(f"The question tree {path} cannot be read: {error}") from error


def default_tree() -> Tree:
    """Read the tree that a campaign asks if it is given none."""
    return tree_check(json.loads(_default_text()))


def tree_leaves(tree: Tree) -> list[Answer]:
    """Give the last answers in the order in which the tree offers them."""
    return [answer for answer in _all_answers(tree) if not answer.get("next")]


def tree_classes(tree: Tree) -> list[str]:
    """Give the keys of the catalog's classes, in order."""
    return [answer["key"] for answer in tree_leaves(tree) if answer.get("means") == "class"]


def tree_roles(tree: Tree) -> list[Role]:
    """Give what may be marked in pictures, in the order in which the tree offers it."""
    return tree.get("marks", [])


def leaf_title(tree: Tree, key: str) -> str:
    """Give the words of a leaf; one that the tree no longer has is called by its key."""
    found = (leaf["label"] for leaf in tree_leaves(tree) if leaf["key"] == key)
    return next((text_said(label) for label in found), key)


def tree_said(tree: Tree) -> Tree:
    """Give a tree in the reader's language, as far as the catalogue of translations knows it."""
    return cast(Tree, _said(tree))


def answer_said(answer: Answer) -> Answer:
    """Give an answer in the reader's language."""
    return cast(Answer, _said(answer))


def text_said(text: str) -> str:
    """Translate a text; nothing stays nothing, which gettext would answer with its own header."""
    return gettext(text) if text else text


def _said(value: Any) -> Any:
    if isinstance(value, list):
        return [_said(each) for each in value]
    if isinstance(value, dict):
        return {
            key: text_said(each) if key in TEXTS and isinstance(each, str) else _said(each)
            for key, each in value.items()
        }
    return value


def tree_path(tree: Tree, key: str) -> list[str]:
    """Give the keys of the answers that lead from the root to a leaf."""
    waiting: list[tuple[str, list[str]]] = [(tree["root"], [])]
    while waiting:
        question, above = waiting.pop(0)
        for answer in tree["questions"][question]["answers"]:
            path = [*above, answer["key"]]
            following = answer.get("next")
            if following:
                waiting.append((following, path))
            elif answer["key"] == key:
                return path
    raise AnswerError(f"The question tree has no leaf {key!r}.")


def tree_leaf(tree: Tree, path: Sequence[str], *, kind: str) -> Answer:
    """Follow a path of answers from the root to its leaf."""
    question: str | None = tree["root"]
    answer: Answer | None = None
    for key in path:
        if question is None:
            raise AnswerError(f"The answer {key!r} comes after the last question.")
        answer = _answer(tree, question, key, kind=kind)
        question = answer.get("next")
    if answer is None:
        raise AnswerError("The path of answers is empty.")
    if question is not None:
        raise AnswerError(f"After {answer['key']!r} the question {question!r} is still open.")
    return answer


def _answer(tree: Tree, question: str, key: str, *, kind: str) -> Answer:
    offered = _offered(tree["questions"][question], kind)
    for answer in offered:
        if answer["key"] == key:
            return answer
    keys = ", ".join(answer["key"] for answer in offered)
    raise AnswerError(
        f"The question {question!r} has no answer {key!r} for this kind of picture; it has {keys}."
    )


def _offered(step: Step, kind: str) -> list[Answer]:
    """Give the answers of a question that fit a kind of item."""
    alike = set(SINGLE_KINDS if kind in SINGLE_KINDS else [kind])
    return [
        answer for answer in step["answers"] if not alike.isdisjoint(answer.get("kinds", KINDS))
    ]


def _all_answers(tree: Tree) -> Iterator[Answer]:
    """Walk down from the root, into each question once, where it is first led to."""
    asked = {tree["root"]}
    waiting = list(reversed(tree["questions"][tree["root"]]["answers"]))
    while waiting:
        answer = waiting.pop()
        yield answer
        following = answer.get("next")
        if following and following not in asked:
            asked.add(following)
            waiting += reversed(tree["questions"][following]["answers"])


# Checking -----------------------------------------------------------------------------------
def tree_check(value: object) -> Tree:
    """Give the value back as a tree, or say what is wrong with it and under which key."""
    _check_form(value)
    tree = cast(Tree, value)
    _check_roles(tree)
    _check_links(tree)
    _check_loops(tree)
    _check_leaves(tree)
    for kind in ("prototype", "subject"):
        _check_kind(tree, kind)
    return tree


def _check_form(value: object) -> None:
    tree = _dict(value, "The question tree", allowed={"root", "questions", "marks"})
    questions = _dict(tree.get("questions"), "'questions' of the tree")
    if not questions:
        raise TreeError("The question tree has no questions.")
    for key, step in questions.items():
        where = f"The question {key!r}"
        _check_key(key, "The question")
        fields = _dict(step, where, allowed={"text", "help", "answers"})
        _check_text(fields.get("text"), f"'text' of the question {key!r}")
        _check_help(fields, where)
        answers = fields.get("answers")
        if not isinstance(answers, list) or not answers:
            raise TreeError(f"{where} needs a list of at least one answer.")
        for answer in answers:
            _check_answer(answer, key)


def _check_answer(value: object, question: str) -> None:
    known = {"key", "label", "help", "means", "next", "kinds", "asks_marks"}
    answer = _dict(value, f"An answer of the question {question!r}", allowed=known)
    key = answer.get("key")
    _check_key(key, f"An answer of the question {question!r}")
    where = f"The answer {key!r} of the question {question!r}"
    _check_text(answer.get("label"), f"'label' of the answer {key!r}")
    _check_help(answer, where)
    kinds = answer.get("kinds", list(KINDS))
    if not isinstance(kinds, list) or not kinds or any(kind not in KINDS for kind in kinds):
        raise TreeError(f"{where} needs kinds out of {', '.join(KINDS)}, got {kinds!r}.")
    following, means = answer.get("next"), answer.get("means")
    if following is not None and not isinstance(following, str):
        raise TreeError(f"{where} leads to {following!r}, which is no key.")
    if following is None and means not in MEANINGS:
        raise TreeError(f"{where} is a leaf and must mean class, mixed or unknown, got {means!r}.")
    if following is not None and means is not None:
        raise TreeError(f"{where} leads on to {following!r}, so it cannot mean {means!r}.")
    _check_asks_marks(answer, where)


def _check_asks_marks(answer: dict[str, Any], where: str) -> None:
    asks = answer.get("asks_marks", False)
    if not isinstance(asks, bool):
        raise TreeError(f"{where} has an 'asks_marks' that is not true or false: {asks!r}.")
    if asks and answer.get("next") is not None:
        raise TreeError(f"{where} leads on to {answer['next']!r}; only a leaf can ask for marks.")


def _check_roles(tree: Tree) -> None:
    roles: object = tree.get("marks")
    if "marks" not in tree:
        return
    if not isinstance(roles, list) or not 1 <= len(roles) <= MOST_ROLES:
        raise TreeError(f"'marks' of the tree must be a list of 1 to {MOST_ROLES} roles.")
    for role in roles:
        _check_role(role)
    keys = [role["key"] for role in roles]
    for double in sorted({each for each in keys if keys.count(each) > 1}):
        raise TreeError(f"The question tree has two roles with the key {double!r}.")


def _check_role(value: object) -> None:
    role = _dict(value, "A role", allowed={"key", "label", "help", "shape", "most"})
    key = role.get("key")
    _check_key(key, "A role")
    where = f"The role {key!r}"
    _check_text(role.get("label"), f"'label' of the role {key!r}")
    _check_help(role, where)
    if role.get("shape") not in SHAPES:
        raise TreeError(f"{where} needs the shape point or box, got {role.get('shape')!r}.")
    most = role.get("most")
    if not isinstance(most, int) or isinstance(most, bool) or not 1 <= most <= MOST_MARKS:
        raise TreeError(
            f"{where} needs a whole number from 1 to {MOST_MARKS} as 'most', got {most!r}."
        )


def _check_key(key: object, what: str) -> None:
    if not isinstance(key, str) or not KEY.fullmatch(key):
        raise TreeError(
            f"{what} has the key {key!r}; a key is a small letter followed by at most 59 small"
            " letters, digits or '_'."
        )


def _check_text(value: object, what: str) -> None:
    if not isinstance(value, str) or not value.strip():
        raise TreeError(f"{what} must be words, got {value!r}.")


def _check_help(fields: dict[str, Any], where: str) -> None:
    if not isinstance(fields.get("help", ""), str):
        raise TreeError(f"{where} has a 'help' that is not text: {fields['help']!r}.")


def _dict(value: object, what: str, *, allowed: set[str] | None = None) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise TreeError(f"{what} must be a JSON object, got {value!r}.")
    unknown = set(value) - allowed if allowed else set()
    if unknown:
        raise TreeError(f"{what} has the unknown field {min(unknown, key=repr)!r}.")
    return value


def _check_links(tree: Tree) -> None:
    questions = tree["questions"]
    root = tree.get("root")
    if not isinstance(root, str) or root not in questions:
        raise TreeError(f"The root {root!r} is not among the questions.")
    for key, step in questions.items():
        keys = [answer["key"] for answer in step["answers"]]
        for double in sorted({each for each in keys if keys.count(each) > 1}):
            raise TreeError(f"The question {key!r} has two answers with the key {double!r}.")
        for answer in step["answers"]:
            following = answer.get("next")
            if following is not None and following not in questions:
                raise TreeError(
                    f"The answer {answer['key']!r} of the question {key!r} leads to"
                    f" {following!r}, which is not among the questions."
                )


def _check_loops(tree: Tree) -> None:
    """Take away questions that lead to no remaining question; those of a loop stay."""
    leads_to = {
        key: {following for answer in step["answers"] if (following := answer.get("next"))}
        for key, step in tree["questions"].items()
    }
    while ends := [key for key, following in leads_to.items() if not following]:
        for key in ends:
            del leads_to[key]
        for remaining in leads_to.values():
            remaining.difference_update(ends)
    if leads_to:
        raise TreeError(f"Answers lead in a circle through the question {min(leads_to)!r}.")


def _check_leaves(tree: Tree) -> None:
    asked = {tree["root"], *(answer.get("next") for answer in _all_answers(tree))}
    for key in tree["questions"]:
        if key not in asked:
            raise TreeError(f"The question {key!r} is never asked: no answer leads to it.")
    home: dict[str, str] = {}
    for key, step in tree["questions"].items():
        for answer in step["answers"]:
            if answer.get("next"):
                continue
            other = home.setdefault(answer["key"], key)
            if other != key:
                raise TreeError(
                    f"The leaf {answer['key']!r} stands under both {other!r} and {key!r};"
                    " leaf keys are unique in a tree."
                )
            if answer.get("asks_marks") and not tree_roles(tree):
                raise TreeError(
                    f"The answer {answer['key']!r} asks for marks, but the tree has no 'marks'."
                )
    if not tree_classes(tree):
        raise TreeError("No leaf of the question tree means a class.")


def _check_kind(tree: Tree, kind: str) -> None:
    """Make sure that nobody who sees an item of this kind ends at a question without answers."""
    waiting, names_class = [tree["root"]], False
    while waiting:
        question = waiting.pop()
        step = tree["questions"][question]
        offered = _offered(step, kind)
        if not offered:
            raise TreeError(f"The question {question!r} has no answer for the kind {kind!r}.")
        names_class |= any(answer.get("means") == "class" for answer in offered)
        waiting += [following for answer in offered if (following := answer.get("next"))]
    if not names_class:
        raise TreeError(f"No leaf for the kind {kind!r} means a class.")
