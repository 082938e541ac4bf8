"""Recordings made by other tools, read into respool's own words."""
