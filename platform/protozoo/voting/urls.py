"""Addresses of the pages of voting."""

from django.urls import URLPattern, path

from protozoo.voting import own_views, views, zooniverse_views

urlpatterns: list[URLPattern] = [
    path("", views.home, name="home"),
    path("campaigns/<slug:slug>/", views.campaign, name="campaign"),
    path("campaigns/<slug:slug>/classify/", views.classify, name="classify"),
    path("items/<int:pk>/", views.item, name="item"),
    path("campaigns/<slug:slug>/guide/", views.guide, name="guide"),
    path("campaigns/<slug:slug>/credits/", own_views.credits_of_campaign, name="campaign-credits"),
    path(
        "campaigns/<slug:slug>/zooniverse/<slug:name>.csv",
        zooniverse_views.zooniverse_table,
        name="zooniverse-table",
    ),
    path("credits/", own_views.credits_of_all, name="credits"),
    path("me/answers.csv", own_views.download_csv, name="my-votes-csv"),
    path("me/answers.json", own_views.download_json, name="my-votes-json"),
    path("me/favourites/", own_views.favourites, name="my-favourites"),
    path("me/thanks/", own_views.thanks, name="my-thanks"),
    path("me/leave/", own_views.leave, name="leave"),
]
