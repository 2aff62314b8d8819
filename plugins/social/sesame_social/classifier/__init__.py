"""Classifies posts on the platform's own machine. This loads numpy; `sesame_social` itself does not."""

from sesame_social.classifier.attributes import Attribute
from sesame_social.classifier.explain import WeightedSpan, explain
from sesame_social.classifier.model import Model, load_model
from sesame_social.classifier.predict import PostKind, Predictions, classify

__all__ = [
    "Attribute",
    "Model",
    "PostKind",
    "Predictions",
    "WeightedSpan",
    "classify",
    "explain",
    "load_model",
]
