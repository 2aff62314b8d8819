"""Analyzes one comment as the Perspective API does: its request, response and errors (v1alpha1).

Rules:
1. A comment in a language that the classifier does not know gets an error, never a low score.
2. An attribute that the model lacks gets an error, never another attribute's score.
3. `begin` and `end` of a span count UTF-16 code units, as Perspective's do.
4. No text is kept here, and none is in an error.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any

import msgspec
import numpy as np
from attrs import field, frozen

from sesame_social.classifier import Attribute, Model, Predictions, classify
from sesame_social.classifier.normalize import MAX_CHARACTERS
from sesame_social.classifier.predict import ATTRIBUTES

#: Perspective's own limit.
MAX_COMMENT_BYTES = 20_480
MAX_SPANS = 200
PROBABILITY = "PROBABILITY"
_ERROR_TYPE = "type.googleapis.com/google.commentanalyzer.v1alpha1.Error"
_ENDS = r".!?\n\u3002\uff01\uff1f\u2026"
_SENTENCE = re.compile(rf"[^{_ENDS}]+[{_ENDS}]*|[{_ENDS}]+")
_Name = Annotated[str, msgspec.Meta(max_length=64)]
_ShortText = Annotated[str, msgspec.Meta(max_length=256)]
_Probability = Annotated[float, msgspec.Meta(ge=0, le=1)]
Spans = Sequence[tuple[int, int]]


class TextEntry(msgspec.Struct, frozen=True):
    """A text. Only plain text is supported."""

    text: str = ""
    type: _Name = "PLAIN_TEXT"


class AttributeParameters(msgspec.Struct, frozen=True, rename="camel"):
    """How an attribute is wanted: scores below `score_threshold` are left out of the response."""

    score_type: _Name = PROBABILITY
    score_threshold: _Probability = 0.0


class AnalyzeRequest(msgspec.Struct, frozen=True, rename="camel"):
    """The request of ``comments:analyze``; members that are not listed have no effect."""

    comment: TextEntry = TextEntry()
    requested_attributes: Annotated[dict[_Name, AttributeParameters], msgspec.Meta(max_length=32)] = {}
    languages: Annotated[tuple[_Name, ...], msgspec.Meta(max_length=32)] = ()
    span_annotations: bool = False
    client_token: _ShortText = ""


class _Value(msgspec.Struct, frozen=True):
    value: _Probability


class _SuggestedScore(msgspec.Struct, frozen=True, rename="camel"):
    summary_score: _Value


class SuggestRequest(msgspec.Struct, frozen=True, rename="camel"):
    """The request of ``comments:suggestscore``: the scores that the comment should have had."""

    comment: TextEntry = TextEntry()
    attribute_scores: Annotated[dict[_Name, _SuggestedScore], msgspec.Meta(max_length=32)] = {}
    languages: Annotated[tuple[_Name, ...], msgspec.Meta(max_length=32)] = ()
    client_token: _ShortText = ""

    @property
    def scores(self) -> dict[str, float]:
        """The suggested score of each attribute."""
        return {name: score.summary_score.value for name, score in self.attribute_scores.items()}


@frozen
class ApiError(Exception):
    """An error in Google's form.

    Attributes:
        code: the HTTP status.
        message: what is wrong, in a sentence.
        status: a code of ``google.rpc.Code``.
        details: members of Perspective's own error, if it has one.
        retry_after: seconds after which to try again, if that can help.
    """

    code: int
    message: str
    status: str = "INVALID_ARGUMENT"
    details: Mapping[str, Any] = field(factory=dict)
    retry_after: int | None = None

    def body(self) -> dict[str, Any]:
        """The response's body."""
        error: dict[str, Any] = {"code": self.code, "message": self.message, "status": self.status}
        if self.details:
            error["details"] = [{"@type": _ERROR_TYPE, **self.details}]
        return {"error": error}


@frozen
class Analyzer:
    """Answers requests of the Perspective API from a model.

    Attributes:
        model: the classifier's model.
        quantiles: by attribute, two ascending columns: our probability, and the score that a site's users
            are used to. Empty means that our probabilities are returned.
    """

    model: Model
    quantiles: Mapping[str, tuple[Sequence[float], Sequence[float]]] = field(factory=dict)

    def analyze(self, request: AnalyzeRequest) -> dict[str, Any]:
        """The response to ``comments:analyze``.

        Raises:
            ApiError: the comment is empty, too long or in an unsupported language, or an attribute unknown.
        """
        text = check_comment(request.comment)
        wanted = _check_attributes(request.requested_attributes)
        # The classifier reads the first characters of a text only, so a long comment is read in parts.
        parts = [text[at : at + MAX_CHARACTERS] for at in range(0, len(text), MAX_CHARACTERS)]
        spans = _sentences(text) if request.span_annotations else [(0, len(text))]
        sentences = [text[begin:end] for begin, end in spans] if request.span_annotations else []
        predictions = classify([*parts, *sentences], self.model)
        language = _check_language(predictions, len(parts), request.languages, next(iter(wanted)))
        attributes = self._scores(predictions, len(parts), wanted, _in_utf16(text, spans))
        answer: dict[str, Any] = {"attributeScores": attributes} if attributes else {}
        answer |= {"languages": list(request.languages) or [language], "detectedLanguages": [language]}
        return answer | ({"clientToken": request.client_token} if request.client_token else {})

    def _scores(
        self, predictions: Predictions, parts: int, wanted: Mapping[Attribute, float], spans: Spans
    ) -> dict[str, Any]:
        scores: dict[str, Any] = {}
        for name, threshold in wanted.items():
            column = self._map(name, predictions.probability[name])
            summary = float(np.nanmax(column[:parts]))
            if summary < threshold:
                continue
            # A sentence may be too short to tell its language; it counts as the whole then.
            rest = column[parts:] if len(column) > parts else column[:1] * 0 + summary
            shown = np.where(np.isnan(rest), summary, rest)
            scores[name.value] = {
                "spanScores": [
                    {"begin": begin, "end": end, "score": _score(float(value))}
                    for (begin, end), value in zip(spans, shown, strict=True)
                ],
                "summaryScore": _score(summary),
            }
        return scores

    def _map(self, name: Attribute, column: Any) -> Any:  # noqa: ANN401 - an array of floats
        if name.value not in self.quantiles:
            return column
        ours, theirs = self.quantiles[name.value]
        return np.where(np.isnan(column), np.nan, np.interp(column, ours, theirs))


def check_comment(comment: TextEntry) -> str:
    """The text of a comment.

    Raises:
        ApiError: it is empty, too long, or not plain text.
    """
    if comment.type not in ("PLAIN_TEXT", "TEXT_TYPE_UNSPECIFIED"):
        raise ApiError(400, "Currently, only 'PLAIN_TEXT' comments are supported.")
    if not comment.text.strip():
        raise ApiError(400, "Comment must be non-empty.", details={"errorType": "COMMENT_EMPTY"})
    if len(comment.text.encode("utf-8", "surrogatepass")) > MAX_COMMENT_BYTES:
        message = f"Comment text too long: at most {MAX_COMMENT_BYTES} bytes."
        raise ApiError(400, message, details={"errorType": "COMMENT_TOO_LONG"})
    return comment.text


def check_names(names: Iterable[str]) -> list[Attribute]:
    """The attributes of these names.

    Raises:
        ApiError: the model lacks one.
    """
    known = {name.value: name for name in ATTRIBUTES}
    for name in names:
        if name not in known:
            available = ", ".join(known)
            raise ApiError(400, f"Unknown requested attribute: {name}. Available: {available}.")
    return [known[name] for name in names]


def _check_attributes(requested: Mapping[str, AttributeParameters]) -> dict[Attribute, float]:
    if not requested:
        raise ApiError(400, "Missing requested_attributes.")
    attributes = check_names(list(requested))
    for name, parameters in requested.items():
        if parameters.score_type not in (PROBABILITY, "SCORE_TYPE_UNSPECIFIED"):
            message = f"Requested score type {parameters.score_type} is not supported by attribute {name}."
            raise ApiError(400, message)
    return dict(zip(attributes, (each.score_threshold for each in requested.values()), strict=True))


def _check_language(predictions: Predictions, parts: int, stated: Sequence[str], attribute: Attribute) -> str:
    known = [str(language) for language in predictions.language[:parts] if language]
    spoken = {language.lower().partition("-")[0] for language in stated}
    if not known or (spoken and not spoken & {"en", "zh"}):
        languages = list(stated) if spoken and not spoken & {"en", "zh"} else known or ["und"]
        detail = {"detectedLanguages": known or ["und"], "attribute": attribute.value}
        raise ApiError(
            400,
            f"Attribute {attribute.value} does not support request languages: {', '.join(languages)}",
            details={
                "errorType": "LANGUAGE_NOT_SUPPORTED_BY_ATTRIBUTE",
                "languageNotSupportedByAttributeError": detail
                | ({"requestedLanguages": list(stated)} if stated else {}),
            },
        )
    return known[0]


def _score(value: float) -> dict[str, Any]:
    return {"value": round(value, 8), "type": PROBABILITY}


def _sentences(text: str) -> list[tuple[int, int]]:
    """Where each sentence begins and ends; the last one has the rest of a text of very many."""
    found = [match.span() for match in _SENTENCE.finditer(text) if match[0].strip()]
    if len(found) > MAX_SPANS:
        found[MAX_SPANS - 1 :] = [(found[MAX_SPANS - 1][0], len(text))]
    return found


def _in_utf16(text: str, spans: Spans) -> Spans:
    """The spans in UTF-16 code units: a character beyond the basic plane counts two."""
    if text.isascii():
        return spans
    wide = np.fromiter((ord(character) > 0xFFFF for character in text), dtype=np.int64, count=len(text))
    extra = np.concatenate([[0], np.cumsum(wide)])
    return [(begin + int(extra[begin]), end + int(extra[end])) for begin, end in spans]
