"""Moves classifications between Zooniverse and a campaign, both ways."""
