"""The API described for programs (OpenAPI 3.1), put together from the table that also serves it."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from syncd.status.routes import ALWAYS, ROUTES, Parameter, Route
from syncd.status.shapes import SCHEMAS, TEXT, ref

_ID = {**TEXT, "pattern": "^[0-9a-f]{32}$"}


def document(version: str) -> dict[str, Any]:
    """The whole description."""
    paths: dict[str, dict[str, Any]] = {}
    for route in ROUTES:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {"title": "syncd", "version": version, "license": {"name": "MIT", "identifier": "MIT"}},
        "paths": paths,
        "components": {
            "schemas": SCHEMAS,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer", "description": "made by `syncd token`"}},
        },
        "security": [{"token": []}, {}],
    }


def _operation(route: Route) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": route.name,
        "summary": route.words,
        "parameters": [
            *(_path_part(route, name) for name in route.names),
            *(_query_part(part) for part in route.query),
        ],
        "responses": _answers(route),
    }
    if route.body is not None:
        described["requestBody"] = {"required": False, "content": {"application/json": {"schema": route.body}}}
    return described


def _path_part(route: Route, name: str) -> dict[str, Any]:
    schema = _ID if name == "id" else TEXT
    if name in route.choices:
        schema = {**TEXT, "enum": list(route.choices[name])}
    return {"name": name, "in": "path", "required": True, "schema": schema}


def _query_part(part: Parameter) -> dict[str, Any]:
    return {"name": part.name, "in": "query", "required": False, "schema": part.schema, "description": part.words}


def _answers(route: Route) -> dict[str, Any]:
    good: dict[str, Any] = {"description": "as asked"}
    if route.answer is not None:
        good["content"] = {route.media: {"schema": ref(route.answer)}}
    elif route.media != "application/json":
        good["content"] = {route.media: {"schema": TEXT}}
    else:
        good["content"] = {route.media: {"schema": {"type": "object"}}}
    answers = {"200": good}
    if route.method == "GET":
        answers["304"] = {"description": "what the given ETag stands for is still so"}
    for status in sorted({*ALWAYS, *route.problems}):
        answers[str(status.value)] = {
            "description": HTTPStatus(status).phrase,
            "content": {"application/problem+json": {"schema": ref("Problem")}},
        }
    return answers
