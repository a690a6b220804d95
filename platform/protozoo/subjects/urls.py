"""Addresses of the pictures and pixels of subjects; their pages stand in consensus."""

from django.urls import URLPattern, path

from protozoo.subjects import views

urlpatterns: list[URLPattern] = [
    path("pictures/subjects/<int:pk>.png", views.subject_picture, name="subject-picture"),
    path("pixels/subjects/<int:pk>.fits", views.subject_pixels, name="subject-pixels"),
]
