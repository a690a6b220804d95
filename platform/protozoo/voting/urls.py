"""Addresses of the pages of voting."""

from django.urls import URLPattern, path

from protozoo.voting import views

urlpatterns: list[URLPattern] = [
    path("", views.home, name="home"),
    path("campaigns/<slug:slug>/", views.campaign, name="campaign"),
    path("campaigns/<slug:slug>/classify/", views.classify, name="classify"),
    path("items/<int:pk>/", views.item, name="item"),
    path("campaigns/<slug:slug>/guide/", views.guide, name="guide"),
    path("me/", views.my_votes, name="my-votes"),
]
