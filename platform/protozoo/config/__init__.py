"""Settings, urls and the two server entry points."""
