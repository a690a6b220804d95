"""At an unknown address a program gets the API's error, a person a page."""

import pytest

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("method", ["get", "post", "put", "delete"])
@pytest.mark.parametrize("address", ["/api/nonsense/", "/api/", "/api/items/first/skip/"])
def test_an_unknown_address_of_the_api_answers_in_its_shape(client, method, address):
    answer = getattr(client, method)(address)
    assert answer.status_code == 404
    assert answer["Content-Type"] == "application/json"
    message = "There is nothing at this address."
    assert answer.json() == {"error": {"code": "not_found", "message": message, "fields": {}}}


def test_a_known_address_without_its_slash_still_leads_on(client):
    assert client.get("/api/campaigns").status_code == 301


@pytest.mark.parametrize("address", ["/nonsense/", "/apis/", "/campaigns/nowhere/"])
def test_elsewhere_a_person_gets_a_page(client, address):
    answer = client.get(address)
    assert answer.status_code == 404
    assert "There is nothing at this address" in answer.content.decode()
    assert answer["Content-Type"].startswith("text/html")
