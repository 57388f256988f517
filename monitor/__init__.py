"""Deal monitor: reads the news for partnerships and deal rumours, and says when one appears or changes."""
