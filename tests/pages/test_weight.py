"""The page on which volunteers answer is light enough for a bad connection."""

import gzip
import json
import re
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders

from tests.factories import make_campaign

pytestmark = pytest.mark.django_db

MOST_BYTES = 150_000


def manifest() -> dict[str, dict]:
    return json.loads((settings.FRONTEND_DIST / ".vite" / "manifest.json").read_text())


def loaded_later(files: set[str]) -> set[str]:
    """Give what the scripts of a page may ask for while it is used, and what that asks for."""
    chunks = {chunk["file"]: chunk for chunk in manifest().values()}
    keys = {key for file in files & set(chunks) for key in chunks[file].get("dynamicImports", [])}
    found = {manifest()[key]["file"] for key in keys}
    return found if found <= files else found | loaded_later(files | found)


def test_classify_is_light(client) -> None:
    make_campaign(slug="radio")
    page = client.get("/campaigns/radio/classify/").content.decode()
    linked = re.findall(r'(?:href|src)="/static/([^"]+\.(?:js|css))"', page)
    assert any("classify" in name for name in linked)
    assert any(name.endswith(".css") for name in linked)
    files = {*linked, *loaded_later({*linked})}
    weights = {name: len(gzip.compress(Path(finders.find(name)).read_bytes())) for name in files}
    assert sum(weights.values()) <= MOST_BYTES, weights


def test_scripts_and_styles_are_sent_gzipped(client) -> None:
    names = [
        file for chunk in manifest().values() if (file := chunk["file"]).endswith(("js", "css"))
    ]
    for name in names:
        plain = finders.find(name)
        sent = client.get(f"/static/{name}", headers={"accept-encoding": "gzip"})
        assert sent.headers["Content-Encoding"] == "gzip"
        assert "immutable" in sent.headers["Cache-Control"]
        assert gzip.decompress(b"".join(sent)) == Path(plain).read_bytes()
