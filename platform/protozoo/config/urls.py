"""Every address of the site."""

from django.contrib import admin
from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView

PAGES = ("voting", "consensus", "catalog", "sorting", "subjects", "jobs")
APIS = ("surveys", *PAGES)

urlpatterns = [
    path("admin/", admin.site.urls),
    path("accounts/", include("allauth.urls")),
    *(path("", include(f"protozoo.{app}.urls")) for app in PAGES),
    *(path("api/", include(f"protozoo.{app}.api")) for app in APIS),
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("api/docs/", SpectacularSwaggerView.as_view(url_name="schema"), name="api-docs"),
]
