"""A question tree is followed from the root to a leaf, and a broken one is refused by name."""

import copy
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protozoo.voting.exceptions import AnswerError, TreeError
from protozoo.voting.trees import (
    FOLDER,
    KINDS,
    SINGLE_KINDS,
    default_tree,
    tree_check,
    tree_classes,
    tree_leaf,
    tree_leaves,
    tree_path,
    tree_roles,
)


def leaf(key, means="class", **fields):
    return {"key": key, "label": key.title(), "means": means, **fields}


def step(key, following, **fields):
    return {"key": key, "label": key.title(), "next": following, **fields}


def role(key="core", **fields):
    return {"key": key, "label": key.title(), "shape": "point", "most": 1, **fields}


def two_steps():
    return {
        "root": "real",
        "questions": {
            "real": {
                "text": "Is it a source?",
                "answers": [step("yes", "shape"), leaf("artefact"), leaf("unknown", "unknown")],
            },
            "shape": {
                "text": "Which shape?",
                "answers": [
                    leaf("compact"),
                    leaf("bent"),
                    leaf("mixed", "mixed", kinds=["prototype"]),
                ],
            },
        },
    }


# The default tree ---------------------------------------------------------------------------
def test_the_default_asks_for_radio_morphology():
    tree = default_tree()
    assert tree_classes(tree) == ["compact", "fri", "frii", "bent", "other", "artefact"]
    assert [answer["key"] for answer in tree_leaves(tree)][-2:] == ["mixed", "unknown"]


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.json")), ids=lambda path: path.stem)
def test_every_tree_that_is_shipped_is_sound_and_helps(path):
    tree = tree_check(json.loads(path.read_text()))
    for question in tree["questions"].values():
        assert question["help"]
        assert all(answer["help"] for answer in question["answers"])
        # Digit keys choose answers, and there are nine of them.
        assert len(question["answers"]) <= 9


def test_nobody_shares_the_default():
    default_tree()["questions"].clear()
    assert default_tree()["questions"]


# Following it -------------------------------------------------------------------------------
def test_leaves_stand_in_the_order_of_the_tree():
    tree = tree_check(two_steps())
    keys = [answer["key"] for answer in tree_leaves(tree)]
    assert keys == ["compact", "bent", "mixed", "artefact", "unknown"]
    assert tree_classes(tree) == ["compact", "bent", "artefact"]


@pytest.mark.parametrize("kind", KINDS)
def test_every_path_leads_to_its_leaf(kind):
    tree = tree_check(two_steps())
    for answer in tree_leaves(tree):
        if kind in answer.get("kinds", KINDS):
            assert tree_leaf(tree, tree_path(tree, answer["key"]), kind=kind) == answer


def test_a_leaf_that_is_not_there_has_no_path():
    with pytest.raises(AnswerError, match="The question tree has no leaf 'spiral'"):
        tree_path(two_steps(), "spiral")


@pytest.mark.parametrize(
    ("path", "kind", "sentence"),
    [
        ([], "audit", "The path of answers is empty."),
        (["yes"], "audit", "After 'yes' the question 'shape' is still open."),
        (["no"], "audit", "has no answer 'no' for this kind of picture; it has yes, artefact"),
        (["yes", "artefact"], "audit", "The question 'shape' has no answer 'artefact'"),
        (["yes", "mixed"], "audit", "The question 'shape' has no answer 'mixed'"),
        (["artefact", "compact"], "audit", "The answer 'compact' comes after the last question."),
        (["compact"], "prototype", "The question 'real' has no answer 'compact'"),
    ],
)
def test_a_wrong_path_is_refused(path, kind, sentence):
    with pytest.raises(AnswerError) as caught:
        tree_leaf(tree_check(two_steps()), path, kind=kind)
    assert sentence in str(caught.value)


@given(path=st.lists(st.sampled_from(["yes", "compact", "bent", "mixed", "artefact", "x"])))
def test_a_path_is_right_or_refused(path):
    tree = two_steps()
    good = [tree_path(tree, answer["key"]) for answer in tree_leaves(tree)]
    try:
        assert tree_leaf(tree, path, kind="prototype")["key"] == path[-1]
        assert path in good
    except AnswerError:
        assert path not in good


# Broken trees -------------------------------------------------------------------------------
def change(*keys, value):
    """Set one value deep inside the tree of two steps."""

    def apply(tree):
        place = tree
        for key in keys[:-1]:
            place = place[key]
        place[keys[-1]] = value

    return apply


def answer(question, number, field, value):
    return change("questions", question, "answers", number, field, value=value)


def drop(*keys):
    def apply(tree):
        place = tree
        for key in keys[:-1]:
            place = place[key]
        del place[keys[-1]]

    return apply


BROKEN = {
    "no root": (drop("root"), "The root None is not among the questions."),
    "unknown root": (change("root", value="size"), "The root 'size' is not among the questions."),
    "root of another kind": (change("root", value=["real"]), "The root ['real'] is not among"),
    "no questions": (drop("questions"), "'questions' of the tree must be a JSON object, got None."),
    "empty": (change("questions", value={}), "The question tree has no questions."),
    "stray field": (change("title", value="x"), "The question tree has the unknown field 'title'."),
    "list for a question": (
        change("questions", "shape", value=[]),
        "The question 'shape' must be a JSON object, got [].",
    ),
    "no text": (
        change("questions", "shape", "text", value=" "),
        "'text' of the question 'shape' must be words, got ' '.",
    ),
    "help of another kind": (
        change("questions", "shape", "help", value=3),
        "The question 'shape' has a 'help' that is not text: 3.",
    ),
    "no answers": (
        change("questions", "shape", "answers", value=[]),
        "The question 'shape' needs a list of at least one answer.",
    ),
    "an answer that is none": (
        change("questions", "shape", "answers", 0, value="compact"),
        "An answer of the question 'shape' must be a JSON object, got 'compact'.",
    ),
    "misspelled field": (
        answer("shape", 0, "mean", "class"),
        "An answer of the question 'shape' has the unknown field 'mean'.",
    ),
    "bad key": (
        answer("shape", 0, "key", "FR I"),
        "An answer of the question 'shape' has the key 'FR I'; a key is a small letter",
    ),
    "long key": (answer("shape", 0, "key", "a" * 61), "at most 59 small letters"),
    "bad question key": (
        change("questions", "2", value={"text": "?", "answers": []}),
        "The question has the key '2'",
    ),
    "no label": (
        answer("shape", 0, "label", ""),
        "'label' of the answer 'compact' must be words, got ''.",
    ),
    "unknown next": (
        answer("real", 0, "next", "size"),
        "The answer 'yes' of the question 'real' leads to 'size', which is not among the",
    ),
    "next of another kind": (
        answer("real", 0, "next", ["shape"]),
        "The answer 'yes' of the question 'real' leads to ['shape'], which is no key.",
    ),
    "circle": (
        change("questions", "shape", "answers", 0, value=step("back", "real")),
        "Answers lead in a circle through the question 'real'.",
    ),
    "circle of one": (
        change("questions", "shape", "answers", 0, value=step("again", "shape")),
        "Answers lead in a circle through the question",
    ),
    "never asked": (
        change("questions", "real", "answers", 0, value=leaf("yes")),
        "The question 'shape' is never asked: no answer leads to it.",
    ),
    "the same key twice": (
        answer("shape", 1, "key", "compact"),
        "The question 'shape' has two answers with the key 'compact'.",
    ),
    "the same leaf in two questions": (
        answer("shape", 1, "key", "artefact"),
        "The leaf 'artefact' stands under both 'real' and 'shape'; leaf keys are unique in a tree.",
    ),
    "meaningless leaf": (
        drop("questions", "shape", "answers", 0, "means"),
        "The answer 'compact' of the question 'shape' is a leaf and must mean class, mixed or",
    ),
    "unknown meaning": (answer("shape", 0, "means", "galaxy"), "or unknown, got 'galaxy'."),
    "meaning in between": (
        answer("real", 0, "means", "class"),
        "The answer 'yes' of the question 'real' leads on to 'shape', so it cannot mean 'class'.",
    ),
    "unknown kind": (
        answer("shape", 2, "kinds", ["prototype", "grid"]),
        "needs kinds out of prototype, outlier, subject, audit, gold, got ['prototype', 'grid'].",
    ),
    "no kinds": (answer("shape", 2, "kinds", []), "needs kinds out of"),
    "kinds of another kind": (answer("shape", 2, "kinds", "prototype"), "needs kinds out of"),
    "kind that is a list": (answer("shape", 2, "kinds", [["audit"]]), "needs kinds out of"),
    "roles of another kind": (
        change("marks", value={"core": "point"}),
        "'marks' of the tree must be a list of 1 to 9 roles.",
    ),
    "no roles": (change("marks", value=[]), "must be a list of 1 to 9 roles."),
    "roles without a value": (change("marks", value=None), "must be a list of 1 to 9 roles."),
    "ten roles": (
        change("marks", value=[role(key) for key in "abcdefghij"]),
        "must be a list of 1 to 9 roles.",
    ),
    "a role that is none": (
        change("marks", value=["core"]),
        "A role must be a JSON object, got 'core'.",
    ),
    "misspelled field of a role": (
        change("marks", value=[role(maximum=3)]),
        "A role has the unknown field 'maximum'.",
    ),
    "role with a bad key": (
        change("marks", value=[role("The core")]),
        "A role has the key 'The core'; a key is a small letter",
    ),
    "role without a label": (
        change("marks", value=[role(label="")]),
        "'label' of the role 'core' must be words, got ''.",
    ),
    "role with help of another kind": (
        change("marks", value=[role(help=1)]),
        "The role 'core' has a 'help' that is not text: 1.",
    ),
    "unknown shape": (
        change("marks", value=[role(shape="circle")]),
        "The role 'core' needs the shape point or box, got 'circle'.",
    ),
    "shape that is a list": (change("marks", value=[role(shape=["box"])]), "got ['box']."),
    "too many marks": (
        change("marks", value=[role(most=31)]),
        "The role 'core' needs a whole number from 1 to 30 as 'most', got 31.",
    ),
    "no marks at most": (change("marks", value=[role(most=0)]), "as 'most', got 0."),
    "true marks at most": (change("marks", value=[role(most=True)]), "as 'most', got True."),
    "the same role twice": (
        change("marks", value=[role(), role("lobe"), role()]),
        "The question tree has two roles with the key 'core'.",
    ),
    "marks asked for without roles": (
        answer("shape", 0, "asks_marks", value=True),
        "The answer 'compact' asks for marks, but the tree has no 'marks'.",
    ),
    "marks asked for halfway": (
        answer("real", 0, "asks_marks", value=True),
        "The answer 'yes' of the question 'real' leads on to 'shape'; only a leaf can ask for",
    ),
    "marks asked for in words": (
        answer("shape", 0, "asks_marks", "yes"),
        "has an 'asks_marks' that is not true or false: 'yes'.",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_tree_is_refused(name):
    damage, sentence = BROKEN[name]
    tree = copy.deepcopy(two_steps())
    damage(tree)
    with pytest.raises(TreeError) as caught:
        tree_check(tree)
    assert sentence in str(caught.value)


@pytest.mark.parametrize("value", [None, [], "tree", 3])
def test_what_is_no_object_is_no_tree(value):
    with pytest.raises(TreeError, match="The question tree must be a JSON object, got"):
        tree_check(value)


def test_a_tree_without_a_class_is_refused():
    tree = two_steps()
    for question in tree["questions"].values():
        for each in question["answers"]:
            if "means" in each:
                each["means"] = "unknown"
    with pytest.raises(TreeError, match=r"No leaf of the question tree means a class\."):
        tree_check(tree)


def test_nobody_ends_at_a_question_without_answers():
    tree = two_steps()
    for each in tree["questions"]["shape"]["answers"]:
        each["kinds"] = ["prototype"]
    with pytest.raises(TreeError, match="'shape' has no answer for the kind 'subject'"):
        tree_check(tree)


def test_every_kind_has_a_class():
    tree = two_steps()
    tree["questions"]["real"]["answers"][0]["kinds"] = ["prototype"]
    tree["questions"]["real"]["answers"][1]["kinds"] = ["prototype"]
    with pytest.raises(TreeError, match="No leaf for the kind 'subject' means a class"):
        tree_check(tree)


@pytest.mark.parametrize("named", SINGLE_KINDS)
@pytest.mark.parametrize("shown", SINGLE_KINDS)
def test_single_subjects_are_asked_alike(named, shown):
    tree = two_steps()
    tree["questions"]["real"]["answers"].append(leaf("strange", kinds=[named]))
    assert tree_leaf(tree_check(tree), ["strange"], kind=shown)["key"] == "strange"
    with pytest.raises(AnswerError, match="no answer 'strange' for this kind of picture"):
        tree_leaf(tree, ["strange"], kind="prototype")


# Roles --------------------------------------------------------------------------------------
def test_roles_stand_in_the_order_of_the_tree():
    tree = two_steps()
    assert tree_roles(tree_check(tree)) == []
    tree["marks"] = [role("lobe", shape="box", most=4, help="Where it glows."), role("core")]
    tree["questions"]["shape"]["answers"][0]["asks_marks"] = True
    assert [each["key"] for each in tree_roles(tree_check(tree))] == ["lobe", "core"]


def test_the_default_offers_to_mark_components_and_the_host_and_demands_neither():
    tree = default_tree()
    roles = [(each["key"], each["shape"], each["most"]) for each in tree_roles(tree)]
    assert roles == [("component", "box", 8), ("host", "point", 1)]
    assert not any(leaf_found.get("asks_marks") for leaf_found in tree_leaves(tree))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from(["real"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)
PLACES = [
    ("root",),
    ("questions",),
    ("questions", "real"),
    ("questions", "real", "text"),
    ("questions", "real", "answers"),
    ("questions", "real", "answers", 0),
    *(("questions", "real", "answers", 0, field) for field in ("key", "label", "next", "means")),
    ("questions", "shape", "answers", 2, "kinds"),
    ("questions", "shape", "answers", 2, "asks_marks"),
    ("marks",),
    ("marks", 0),
    *(("marks", 0, field) for field in ("key", "label", "help", "shape", "most")),
]


@given(place=st.sampled_from(PLACES), value=json_values)
def test_whatever_stands_in_a_tree_is_checked(place, value):
    tree = two_steps()
    tree["marks"] = [role()]
    change(*place, value=value)(tree)
    try:
        checked = tree_check(tree)
    except TreeError:
        return
    for leaf_found in tree_leaves(checked):
        assert tree_path(checked, leaf_found["key"])[-1] == leaf_found["key"]
