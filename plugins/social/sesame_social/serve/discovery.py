"""The API's discovery document, from which Google's own clients build themselves.

A client is given this address instead of Google's:
``discovery.build("commentanalyzer", "v1alpha1", discoveryServiceUrl="http://127.0.0.1:8790/$discovery/rest")``.
"""

from typing import Any

_ANY = {"type": "any"}
_TEXT, _NUMBER, _FLAG = {"type": "string"}, {"type": "number", "format": "float"}, {"type": "boolean"}
_INTEGER = {"type": "integer", "format": "int32"}


def discovery_document(address: str) -> dict[str, Any]:
    """The document of the server at `address`."""
    return {
        "kind": "discovery#restDescription",
        "discoveryVersion": "v1",
        "id": "commentanalyzer:v1alpha1",
        "name": "commentanalyzer",
        "version": "v1alpha1",
        "title": "Comment analyzer",
        "description": "Scores comments on this machine, in the form of the Perspective API.",
        "protocol": "rest",
        "rootUrl": f"{address}/",
        "servicePath": "",
        "baseUrl": f"{address}/",
        "batchPath": "batch",
        "parameters": {"key": _query("API key."), "alt": _query("Data format."), "fields": _query("Unused.")},
        "schemas": _SCHEMAS,
        "resources": {
            "comments": {
                "methods": {
                    "analyze": _method("analyze", "AnalyzeCommentRequest", "AnalyzeCommentResponse"),
                    "suggestscore": _method(
                        "suggestscore", "SuggestCommentScoreRequest", "SuggestCommentScoreResponse"
                    ),
                }
            }
        },
    }


def _query(description: str) -> dict[str, str]:
    return {"type": "string", "location": "query", "description": description}


def _method(name: str, request: str, response: str) -> dict[str, Any]:
    return {
        "id": f"commentanalyzer.comments.{name}",
        "httpMethod": "POST",
        "path": f"v1alpha1/comments:{name}",
        "flatPath": f"v1alpha1/comments:{name}",
        "parameters": {},
        "parameterOrder": [],
        "request": {"$ref": request},
        "response": {"$ref": response},
    }


def _object(name: str, **members: object) -> dict[str, Any]:
    return {"id": name, "type": "object", "properties": members}


def _list(item: object) -> dict[str, Any]:
    return {"type": "array", "items": item}


def _map(item: object) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": item}


def _ref(name: str) -> dict[str, str]:
    return {"$ref": name}


_SCHEMAS: dict[str, Any] = {
    each["id"]: each
    for each in (
        _object("TextEntry", text=_TEXT, type=_TEXT),
        _object("Score", value=_NUMBER, type=_TEXT),
        _object("SpanScore", begin=_INTEGER, end=_INTEGER, score=_ref("Score")),
        _object("AttributeScores", spanScores=_list(_ref("SpanScore")), summaryScore=_ref("Score")),
        _object("AttributeParameters", scoreType=_TEXT, scoreThreshold=_NUMBER),
        _object(
            "AnalyzeCommentRequest",
            comment=_ref("TextEntry"),
            context=_ANY,
            requestedAttributes=_map(_ref("AttributeParameters")),
            spanAnnotations=_FLAG,
            languages=_list(_TEXT),
            doNotStore=_FLAG,
            clientToken=_TEXT,
            sessionId=_TEXT,
            communityId=_TEXT,
        ),
        _object(
            "AnalyzeCommentResponse",
            attributeScores=_map(_ref("AttributeScores")),
            languages=_list(_TEXT),
            detectedLanguages=_list(_TEXT),
            clientToken=_TEXT,
        ),
        _object(
            "SuggestCommentScoreRequest",
            comment=_ref("TextEntry"),
            context=_ANY,
            attributeScores=_map(_ref("AttributeScores")),
            languages=_list(_TEXT),
            clientToken=_TEXT,
            sessionId=_TEXT,
            communityId=_TEXT,
        ),
        _object(
            "SuggestCommentScoreResponse",
            clientToken=_TEXT,
            detectedLanguages=_list(_TEXT),
            requestedLanguages=_list(_TEXT),
        ),
    )
}
