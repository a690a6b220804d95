from django.utils import translation

from protozoo.consensus.labels import Label, Labels
from protozoo.consensus.sheet import badge_of
from protozoo.voting.models import Question
from protozoo.voting.showcase import numbered_answers
from protozoo.voting.trees import default_tree, leaf_title, tree_check, tree_said

OWN = {
    "root": "color",
    "questions": {
        "color": {
            "text": "Which color has it?",
            "help": "",
            "answers": [
                {"key": "red", "label": "Red", "help": "", "means": "class", "next": None},
                {"key": "unknown", "label": "Cannot tell", "means": "unknown", "next": None},
            ],
        }
    },
}


def without_words(value):
    if isinstance(value, list):
        return [without_words(each) for each in value]
    if isinstance(value, dict):
        words = {"text", "help", "label"}
        return {
            key: isinstance(each, str) or without_words(each)
            if key in words
            else without_words(each)
            for key, each in value.items()
        }
    return value


def test_the_shipped_tree_is_asked_in_german_with_the_same_keys() -> None:
    tree = default_tree()
    with translation.override("de"):
        german = tree_said(tree)
        assert german["questions"]["shape"]["text"] == "Welche Form hat diese Radioquelle?"
        assert leaf_title(tree, "bent") == "Gebogen"
        assert numbered_answers(tree)[0].answer["label"] == "Kompakt"
        assert Labels(Question(tree=tree)).classes[0].name == "Kompakt"
    assert without_words(german) == without_words(tree)
    assert tree_check(german) == german


def test_english_is_the_tree_itself() -> None:
    assert tree_said(default_tree()) == default_tree()


def test_a_tree_of_ones_own_is_asked_as_it_is_written() -> None:
    with translation.override("de"):
        step = tree_said(OWN)["questions"]["color"]
    assert step["text"] == "Which color has it?"
    assert [answer["label"] for answer in step["answers"]] == ["Red", "Nicht zu erkennen"]
    assert step["help"] == step["answers"][0]["help"] == ""


def test_a_leaf_that_the_tree_has_not_is_called_by_its_key() -> None:
    with translation.override("de"):
        assert leaf_title(OWN, "unheard_of") == "unheard_of"


def test_a_long_name_is_cut_to_its_first_word_if_no_other_begins_so() -> None:
    labels = Labels(Question(tree=default_tree())).all
    by_key = {label.key: label for label in labels}
    assert badge_of(by_key["compact"], labels) == "Compact"
    assert badge_of(by_key["other"], labels) == "Other"
    with translation.override("de"):
        german = Labels(Question(tree=default_tree())).all
        assert [badge_of(label, german) for label in german if label.key in {"other", "mixed"}] == [
            "Anderes",
            "Gemischte",
        ]
    twins = [Label("edge_on", "Galaxy seen from its edge", 1, is_class=True)]
    twins.append(Label("face_on", "Galaxy seen from above", 2, is_class=True))
    assert badge_of(twins[0], twins) == "Edge_on"
