import pytest

from protozoo.config.templatetags import frontend
from tests.factories import make_campaign, make_release, make_subject, write_pixels

pytestmark = pytest.mark.django_db
SKIP_LINK = {"en": "Skip to the content", "de": "Zum Inhalt springen"}


def is_in(page, language: str) -> bool:
    text = page.content.decode()
    has_words = [known for known, words in SKIP_LINK.items() if words in text]
    return f'<html lang="{language}">' in text and has_words == [language]


def test_a_page_is_english_if_nobody_asks_for_anything(client) -> None:
    page = client.get("/")
    assert is_in(page, "en")
    assert page["Content-Language"] == "en"


@pytest.mark.parametrize("asked", ["de", "de-AT,de;q=0.9,en;q=0.5", "fr,de;q=0.5"])
def test_a_page_is_german_for_a_german_browser(client, asked) -> None:
    page = client.get("/", headers={"accept-language": asked})
    assert is_in(page, "de")
    assert page["Content-Language"] == "de"


def test_a_page_is_english_for_a_browser_of_an_unknown_language(client) -> None:
    assert is_in(client.get("/", headers={"accept-language": "fr"}), "en")


def test_the_switch_brings_back_to_the_page_and_is_remembered(client) -> None:
    answer = client.post("/language/", {"language": "de", "next": "/releases/?page=1"})
    assert answer.status_code == 302
    assert answer["Location"] == "/releases/?page=1"
    assert client.cookies["language"]["max-age"] > 300 * 24 * 3600
    assert is_in(client.get("/"), "de")


def test_the_choice_overrules_the_browser(client) -> None:
    client.post("/language/", {"language": "en", "next": "/"})
    assert is_in(client.get("/", headers={"accept-language": "de"}), "en")


def test_the_switch_leads_to_no_other_site(client) -> None:
    answer = client.post("/language/", {"language": "de", "next": "https://elsewhere.example/"})
    assert answer["Location"] == "/"


def test_an_unknown_language_changes_nothing(client) -> None:
    client.post("/language/", {"language": "xx", "next": "/"})
    assert is_in(client.get("/"), "en")


def test_the_footer_calls_each_language_by_its_own_name(client) -> None:
    text = client.get("/?a=1&b=2", headers={"accept-language": "de"}).content.decode()
    assert '<button name="language" value="en" lang="en">English</button>' in text
    assert '<span lang="de">Deutsch</span>' in text
    assert '<input type="hidden" name="next" value="/?a=1&amp;b=2">' in text


def test_reading_a_page_sets_no_cookie(client) -> None:
    assert not client.get("/", headers={"accept-language": "de"}).cookies


def test_caches_keep_the_languages_of_pages_and_answers_apart(client) -> None:
    make_campaign()
    for address in ("/", "/api/campaigns/"):
        vary = {name.strip() for name in client.get(address)["Vary"].split(",")}
        assert {"Accept-Language", "Cookie"} <= vary, address


def test_pictures_are_the_same_in_every_language(client) -> None:

    subject = make_subject()
    write_pixels(subject.survey)
    picture = client.get(f"/pictures/subjects/{subject.pk}.png", headers={"accept-language": "de"})
    assert picture.status_code == 200
    assert "Content-Language" not in picture
    assert "Accept-Language" not in picture.get("Vary", "")


def test_islands_of_a_german_page_fetch_their_words_ahead(client) -> None:
    campaign = make_campaign()
    address = f"/campaigns/{campaign.slug}/classify/"
    german = client.get(address, headers={"accept-language": "de"}).content.decode()
    english = client.get(address).content.decode()
    words = frontend._manifest(frontend.settings.FRONTEND_DIST / ".vite" / "manifest.json")[
        "src/locale/de.json"
    ]["file"]
    assert f'<link rel="modulepreload" href="/static/{words}">' in german
    assert words not in english


def test_programs_get_the_same_numbers_in_every_language(client) -> None:
    release = make_release()
    address = f"/api/releases/{release.pk}/entries/"
    german = client.get(address, headers={"accept-language": "de"})
    assert german.json() == client.get(address).json()
    assert b'"ra_deg":' in german.content
