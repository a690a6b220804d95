"""Keeps the catalogues of translations: collects all texts, tells what a catalogue lacks.

One catalogue for each language holds the texts of Python, templates, islands and the question
trees that come with ProtoZoo. What the server reads is compiled from it, and so is the JSON with
which the islands speak.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, Final

from babel.messages import Catalog, Message
from babel.messages.extract import extract
from babel.messages.mofile import read_mo, write_mo
from babel.messages.pofile import read_po, write_po
from django.conf import settings
from django.utils.translation.template import templatize

from protozoo.exceptions import ProtoZooError
from protozoo.voting.trees import TEXTS

FRONTEND: Final = settings.ROOT / "frontend"
# Where each function that marks a text has it; "c" is its context.
KEYWORDS: Final[dict[str, Any]] = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
}
ISLAND_CALL: Final = re.compile(r"(?<![\w.$])(tn?)\(")
ISLAND_TEXT: Final = re.compile(r'\s*("(?:[^"\\\n]|\\.)*")\s*[,)]')
PLACEHOLDER: Final = re.compile(r"%\(\w+\)[a-z]|\{\w*\}")


class CatalogueError(ProtoZooError):
    """A text that cannot be collected, so nobody could translate it."""

    code = "catalogue"


@dataclass(frozen=True)
class Text:
    """A text as it stands in the source, with its plural or its context where it has one."""

    one: str
    many: str | None
    context: str | None
    path: Path


# Collecting ---------------------------------------------------------------------------------
def texts_collect() -> Catalog:
    """Collect every text of the site that people read."""
    catalog = Catalog()
    for text in _all_texts():
        message_id = text.one if text.many is None else (text.one, text.many)
        where = text.path.relative_to(settings.ROOT).as_posix()
        catalog.add(message_id, context=text.context, locations=[(where, 0)])
    return catalog


def _all_texts() -> Iterator[Text]:
    for path in sorted((settings.ROOT / "platform").rglob("*.py")):
        yield from _texts_of_python(path.read_bytes(), path)
    for path in sorted((FRONTEND / "templates").rglob("*.*")):
        yield from _texts_of_template(path)
    for path in sorted((FRONTEND / "src").rglob("*.ts*")):
        if not path.name.endswith((".test.ts", ".test.tsx", ".d.ts")) and path.stem != "words":
            yield from island_texts(path.read_text(encoding="utf-8"), path)
    for path in sorted((settings.ROOT / "platform").rglob("question_trees/*.json")):
        yield from _texts_of_tree(json.loads(path.read_text(encoding="utf-8")), path)


def _texts_of_python(source: bytes, path: Path) -> Iterator[Text]:
    for _line, found, _comments, context in extract("python", BytesIO(source), keywords=KEYWORDS):
        one, many = found if isinstance(found, tuple) else (found, None)
        yield Text(one, many, context, path)


def _texts_of_template(path: Path) -> Iterator[Text]:
    marked = templatize(path.read_text(encoding="utf-8"), origin=str(path))
    # Templates are indented as HTML is; Python would stumble over that.
    flat = "\n".join(line.lstrip() for line in marked.splitlines())
    yield from _texts_of_python(flat.encode(), path)


def island_texts(source: str, path: Path) -> Iterator[Text]:
    """Find `t("…")` and `tn("…", "…", n)`; anything but a plain text in them is an error."""
    for call in ISLAND_CALL.finditer(source):
        place, found = call.end(), []
        for _ in call[1]:
            text = ISLAND_TEXT.match(source, place)
            if text is None:
                line = source.count("\n", 0, call.start()) + 1
                raise CatalogueError(
                    f"{path}, line {line}: {call[1]}() takes texts in double quotes, so that they"
                    " can be translated."
                )
            found.append(json.loads(text[1]))
            place = text.end()
        yield Text(found[0], found[1] if len(found) > 1 else None, None, path)


def _texts_of_tree(value: Any, path: Path) -> Iterator[Text]:
    if isinstance(value, list):
        for each in value:
            yield from _texts_of_tree(each, path)
    elif isinstance(value, dict):
        for key, each in value.items():
            if key in TEXTS and isinstance(each, str) and each:
                yield Text(each, None, None, path)
            else:
                yield from _texts_of_tree(each, path)


# One language -------------------------------------------------------------------------------
class Catalogue:
    """The texts of one language and the three files that hold them."""

    def __init__(self, language: str, *, folder: Path = FRONTEND) -> None:
        messages = folder / "locale" / language / "LC_MESSAGES"
        self.language = language
        self.source = messages / "django.po"
        self.compiled = messages / "django.mo"
        self.islands = folder / "src" / "locale" / f"{language}.json"

    def read(self) -> Catalog:
        with self.source.open("rb") as file:
            return read_po(file, locale=self.language)

    def update(self, collected: Catalog) -> None:
        """Take new texts up, drop those that nobody says any more, and compile the rest."""
        known = self.read()
        known.update(collected, no_fuzzy_matching=True, update_creation_date=False)
        with self.source.open("wb") as file:
            write_po(file, known, width=100, include_lineno=False, ignore_obsolete=True)
        with self.compiled.open("wb") as file:
            write_mo(file, known)
        self.islands.parent.mkdir(parents=True, exist_ok=True)
        self.islands.write_text(_json(_island_words(known, collected)), encoding="utf-8")

    def problems(self, collected: Catalog) -> list[str]:
        """Say what is missing, wrong or, once nothing is, out of date; one sentence each."""
        known = self.read()
        found = [
            f"{self.source.name} has not taken up {message.id!r}."
            for message in collected
            if message.id and _twin(known, message) is None
        ]
        for message in known:
            if message.id:
                found += _problems_of(message, is_said=_twin(collected, message) is not None)
        return found or list(self._outdated(known, collected))

    def _outdated(self, known: Catalog, collected: Catalog) -> Iterator[str]:
        with self.compiled.open("rb") as file:
            compiled = read_mo(file)
        if _words(compiled) != _words(known):
            yield f"{self.compiled.name} is not compiled from {self.source.name} as it is now."
        if self.islands.read_text(encoding="utf-8") != _json(_island_words(known, collected)):
            yield f"{self.islands.name} does not say what {self.source.name} says."


def _problems_of(message: Message, *, is_said: bool) -> Iterator[str]:
    if not is_said:
        yield f"Nothing says {message.id!r} any more."
    elif message.fuzzy or not all(_strings(message)):
        yield f"{message.id!r} is not translated."
    elif any(_placeholders(said) - _placeholders(*_ids(message)) for said in _strings(message)):
        yield f"The translation of {message.id!r} has a placeholder that the text has not."
    elif _placeholders(*_ids(message)) - _placeholders(*_strings(message)):
        yield f"The translation of {message.id!r} leaves a placeholder out."


def _twin(catalog: Catalog, message: Message) -> Message | None:
    return catalog.get(message.id, message.context)


def _ids(message: Message) -> list[str]:
    return [message.id] if isinstance(message.id, str) else list(message.id)


def _strings(message: Message) -> list[str]:
    said = message.string
    return list(said) if isinstance(said, list | tuple) else [said or ""]


def _placeholders(*texts: str) -> set[str]:
    return {found for text in texts for found in PLACEHOLDER.findall(text)}


def _words(catalog: Catalog) -> dict[Any, list[str]]:
    return {
        (*_ids(message), message.context): _strings(message)
        for message in catalog
        if message.id and all(_strings(message)) and not message.fuzzy
    }


def _island_words(known: Catalog, collected: Catalog) -> dict[str, str | list[str]]:
    """Give what `speak` of the islands takes: texts, or singular and plural, by English ones."""
    found: dict[str, str | list[str]] = {}
    for message in collected:
        twin = _twin(known, message) if message.id else None
        is_of_islands = any(path.endswith((".ts", ".tsx")) for path, _ in message.locations)
        if twin is not None and is_of_islands and all(_strings(twin)):
            said = _strings(twin)
            found[_ids(message)[0]] = said if len(said) > 1 else said[0]
    return found


def _json(words: dict[str, str | list[str]]) -> str:
    return json.dumps(words, ensure_ascii=False, indent=2, sort_keys=True) + "\n"
