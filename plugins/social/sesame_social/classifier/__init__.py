"""Judges posts on the platform's own machine. This loads numpy; `sesame_social` itself does not."""

from sesame_social.classifier.model import Model, load
from sesame_social.classifier.predict import Judged, Kind, judge

__all__ = ["Judged", "Kind", "Model", "judge", "load"]
