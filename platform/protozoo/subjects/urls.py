"""Addresses of the pictures of subjects; their pages show classes and stand in consensus."""

from django.urls import URLPattern, path

from protozoo.subjects import views

urlpatterns: list[URLPattern] = [
    path("pictures/subjects/<int:pk>.png", views.subject_picture, name="subject-picture"),
]
