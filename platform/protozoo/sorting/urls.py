"""Addresses of the pictures and pixels of maps; the pages of maps stand in consensus."""

from django.urls import URLPattern, path

from protozoo.sorting import views

urlpatterns: list[URLPattern] = [
    path("pictures/prototypes/<int:pk>.png", views.prototype_picture, name="prototype-picture"),
    path("pictures/members/<int:pk>.png", views.member_picture, name="member-picture"),
    path("pictures/sortings/<int:pk>.png", views.sorting_picture, name="sorting-picture"),
    path("pixels/prototypes/<int:pk>.fits", views.prototype_pixels, name="prototype-pixels"),
    path("pixels/members/<int:pk>.fits", views.member_pixels, name="member-pixels"),
]
