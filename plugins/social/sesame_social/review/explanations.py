"""Says why a post was suspected: its attributes, and the words that weighed most, marked in the text."""

from collections.abc import Sequence

from attrs import frozen

from sesame_social.classifier import Attribute, Model, classify, explain
from sesame_social.classifier.predict import ATTRIBUTES

#: Characters of a post for which words are weighed; it takes a classification for each word.
_MAX_CHARACTERS = 2000


@frozen
class AttributeView:
    """An attribute of a post: its probability, and whether that reaches the threshold."""

    name: str
    probability: float
    suspected: bool


@frozen
class Part:
    """A part of a text; `weight` is 0 for what did not weigh."""

    text: str
    weight: float = 0.0


@frozen
class Explanation:
    """Attributes with the highest probability first, and the text in parts."""

    attributes: tuple[AttributeView, ...]
    parts: tuple[Part, ...]


class Explainer:
    """Explains the posts of a page by a model. Texts are kept for as long as they are on the page."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._known: dict[str, Explanation] = {}

    def explain(self, texts: Sequence[str]) -> list[Explanation]:
        """Why the classifier suspects each text."""
        self._known = {text: self._known.get(text) or _explain(text, self._model) for text in texts}
        return [self._known[text] for text in texts]


def _explain(text: str, model: Model) -> Explanation:
    predictions = classify([text], model)
    views = [
        AttributeView(
            name.value, float(predictions.probability[name][0]), bool(predictions.suspected[name][0])
        )
        for name in ATTRIBUTES
        if predictions.supported[0]
    ]
    views.sort(key=lambda view: (-view.suspected, -view.probability))
    if not views or not views[0].suspected:
        return Explanation(tuple(views), (Part(text),))
    spans = explain(text[:_MAX_CHARACTERS], model, Attribute(views[0].name))
    parts, at = [], 0
    for span in sorted(spans, key=lambda span: span.begin):
        parts += [Part(text[at : span.begin]), Part(text[span.begin : span.end], span.weight)]
        at = span.end
    return Explanation(tuple(views), tuple(part for part in (*parts, Part(text[at:])) if part.text))
