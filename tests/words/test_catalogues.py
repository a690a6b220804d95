import json
from io import StringIO
from pathlib import Path

import pytest
from babel.messages import Catalog
from babel.messages.pofile import write_po
from django.core.management import CommandError, call_command

from protozoo.config.catalogues import Catalogue, CatalogueError, island_texts

HEADER = 'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=utf-8\\n"\n'


@pytest.fixture
def catalogue(tmp_path) -> Catalogue:
    made = Catalogue("de", folder=tmp_path)
    made.source.parent.mkdir(parents=True)
    made.source.write_text(HEADER)
    return made


@pytest.fixture
def collected() -> Catalog:
    found = Catalog()
    found.add("Undo", locations=[("frontend/src/undo.tsx", 0)])
    found.add(("{n} answer", "{n} answers"), locations=[("frontend/src/undo.tsx", 0)])
    found.add("%(name)s, hello", locations=[("platform/protozoo/hello.py", 0)])
    return found


def translate(catalogue: Catalogue, **by_first_word: str | tuple[str, str]) -> None:
    known = catalogue.read()
    for message in known:
        first = (message.id[0] if isinstance(message.id, tuple) else message.id)[:4]
        message.string = by_first_word.get(KEYS.get(first, ""), message.string)
    with catalogue.source.open("wb") as file:
        write_po(file, known)


KEYS = {"Undo": "undo", "{n} ": "answers", "%(na": "hello"}
WORDS = {
    "undo": "Rückgängig",
    "answers": ("{n} Antwort", "{n} Antworten"),
    "hello": "Hallo, %(name)s",
}


def test_a_whole_catalogue_has_no_problems(catalogue, collected) -> None:
    catalogue.update(collected)
    translate(catalogue, **WORDS)
    catalogue.update(collected)
    assert catalogue.problems(collected) == []
    assert json.loads(catalogue.islands.read_text()) == {
        "Undo": "Rückgängig",
        "{n} answer": ["{n} Antwort", "{n} Antworten"],
    }


def test_a_new_text_is_missed_until_it_is_taken_up_and_translated(catalogue, collected) -> None:
    catalogue.update(Catalog())
    assert any("not taken up 'Undo'" in each for each in catalogue.problems(collected))
    catalogue.update(collected)
    problems = catalogue.problems(collected)
    assert "'Undo' is not translated." in problems
    assert len(problems) == 3


def test_half_a_plural_is_no_translation(catalogue, collected) -> None:
    catalogue.update(collected)
    translate(catalogue, **{**WORDS, "answers": ("{n} Antwort", "")})
    catalogue.update(collected)
    assert catalogue.problems(collected) == ["('{n} answer', '{n} answers') is not translated."]


def test_what_nobody_says_any_more_is_named_and_dropped(catalogue, collected) -> None:
    catalogue.update(collected)
    translate(catalogue, **WORDS)
    catalogue.update(collected)
    collected.delete("Undo")
    assert "Nothing says 'Undo' any more." in catalogue.problems(collected)
    catalogue.update(collected)
    assert catalogue.problems(collected) == []


@pytest.mark.parametrize(
    ("hello", "problem"),
    [
        ("Hallo, %(nme)s", "has a placeholder that the text has not"),
        ("Hallo", "leaves a placeholder out"),
    ],
)
def test_placeholders_are_the_same_in_both_languages(catalogue, collected, hello, problem) -> None:
    catalogue.update(collected)
    translate(catalogue, **{**WORDS, "hello": hello})
    catalogue.update(collected)
    (said,) = catalogue.problems(collected)
    assert problem in said


def test_a_catalogue_that_is_not_compiled_is_named(catalogue, collected) -> None:
    catalogue.update(collected)
    translate(catalogue, **WORDS)
    problems = catalogue.problems(collected)
    assert any("django.mo is not compiled" in each for each in problems)
    assert any("de.json does not say" in each for each in problems)


def test_texts_of_islands_are_found() -> None:
    source = """
      const words = [t("Undo"), tn("{n} answer", "{n} answers", count), set("no"), at("all")];
      t(
        "A \\"quoted\\" one",
        { n: 1 },
      );
    """
    found = [(text.one, text.many) for text in island_texts(source, Path("island.tsx"))]
    assert found == [
        ("Undo", None),
        ("{n} answer", "{n} answers"),
        ('A "quoted" one', None),
    ]


@pytest.mark.parametrize(
    "call", ["t(name)", "t(`Undo`)", 't("Un" + "do")', 'tn("one", many, n)', "t(is ? 1 : 2)"]
)
def test_a_text_of_an_island_that_could_not_be_translated_is_refused(call) -> None:
    with pytest.raises(CatalogueError, match=r"island\.tsx, line 2: tn?\(\) takes texts in double"):
        list(island_texts(f"\n{call}", Path("island.tsx")))


def test_every_text_of_the_site_is_translated_and_compiled() -> None:
    call_command("messages", check=True, stdout=StringIO())


def test_the_check_fails_and_names_what_is_missing(monkeypatch) -> None:
    collected = Catalog()
    collected.add("A text that nobody has translated")
    command = "protozoo.config.management.commands.messages"
    monkeypatch.setattr(f"{command}.texts_collect", lambda: collected)
    said = StringIO()
    with pytest.raises(CommandError, match="catalogues are not whole: run 'manage"):
        call_command("messages", check=True, stdout=said)
    assert "has not taken up 'A text that nobody has translated'" in said.getvalue()
