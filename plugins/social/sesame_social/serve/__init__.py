"""Serves the classifier over HTTP, in the form of the Perspective API."""
