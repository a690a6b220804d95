"""Campaigns, items and votes."""
