"""Addresses of the pages of catalogs."""

from django.urls import URLPattern, path

from protozoo.catalog import views

urlpatterns: list[URLPattern] = [
    path("releases/", views.release_list, name="releases"),
    path("releases/<int:pk>/", views.release, name="release"),
    path("releases/<int:pk>/files/<str:name>", views.release_file, name="release-file"),
    path("campaigns/<slug:slug>/freeze/", views.release_freeze, name="release-freeze"),
]
