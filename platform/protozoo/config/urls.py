"""Every address of the site."""

from django.contrib import admin
from django.urls import include, path
from django.views.decorators.csrf import csrf_exempt
from django.views.i18n import set_language
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView

PAGES = ("voting", "consensus", "catalog", "sorting", "subjects", "jobs")
APIS = ("surveys", *PAGES)

handler404 = "protozoo.config.api.not_found"

urlpatterns = [
    path("admin/", admin.site.urls),
    path("accounts/", include("allauth.urls")),
    # Without a token, lest every page set a cookie: all that a stranger could forge is a language.
    path("language/", csrf_exempt(set_language), name="set-language"),
    *(path("", include(f"protozoo.{app}.urls")) for app in PAGES),
    *(path("api/", include(f"protozoo.{app}.api")) for app in APIS),
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("api/docs/", SpectacularSwaggerView.as_view(url_name="schema"), name="api-docs"),
]
