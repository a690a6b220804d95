"""Addresses of the scientist's pages."""

from django.urls import URLPattern, path

from protozoo.consensus import views

urlpatterns: list[URLPattern] = [
    path("sortings/<int:pk>/", views.sorting_map, name="sorting-map"),
    path("sortings/<int:pk>/outliers/", views.sorting_outliers, name="sorting-outliers"),
    path("prototypes/<int:pk>/", views.prototype, name="prototype"),
    path("campaigns/<slug:slug>/splits/", views.campaign_splits, name="campaign-splits"),
    path("campaigns/<slug:slug>/splits/<int:pk>/", views.campaign_split, name="campaign-split"),
    path("campaigns/<slug:slug>/undecided/", views.campaign_undecided, name="campaign-undecided"),
    path("me/", views.my_votes, name="my-votes"),
    path("campaigns/<slug:slug>/strange/", views.campaign_strange, name="campaign-strange"),
    path("subjects/<int:pk>/", views.subject, name="subject"),
    path("subjects/<int:pk>/review/", views.subject_review, name="subject-review"),
]
