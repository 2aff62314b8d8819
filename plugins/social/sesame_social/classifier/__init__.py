"""Judges posts on the platform's own machine. This loads numpy; `sesame_social` itself does not."""

from sesame_social.classifier.judging import Judged, Kind, judge
from sesame_social.classifier.model import Model, load

__all__ = ["Judged", "Kind", "Model", "judge", "load"]
