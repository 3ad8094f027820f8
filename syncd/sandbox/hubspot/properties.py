"""The properties API: definitions and groups, HubSpot's own (fixed) and custom ones."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from syncd.sandbox.hubspot import shape
from syncd.sandbox.hubspot.batch import inputs, reply
from syncd.sandbox.hubspot.call import Call, Reply
from syncd.sandbox.hubspot.errors import ApiError, invalid
from syncd.sandbox.hubspot.kinds import Kind, find
from syncd.sandbox.hubspot.schema import ALLOWED_FIELD_TYPES, Group, Property

_NAME = re.compile(r"[a-z][a-z0-9_]{0,99}")
_REQUIRED = ("name", "label", "type", "fieldType", "groupName")
# Only kept and shown again.
_DETAILS = (
    "description",
    "hidden",
    "formField",
    "displayOrder",
    "numberDisplayHint",
    "showCurrencySymbol",
    "currencyPropertyName",
    "dataSensitivity",
    "calculationFormula",
)
_UNIQUE_ON = ("contacts", "companies", "deals")  # not on products; invoices unconfirmed
_UNIQUE_MOST = 10


def _kind(call: Call, name: str, access: str) -> Kind:
    kind = find(name)
    call.require_scope(f"crm.schemas.{kind.scope}.{access}")
    return kind


def list_all(call: Call, kind_name: str) -> Reply:
    kind = _kind(call, kind_name, "read")
    return Reply(200, {"results": [each.described() for each in call.portal.schema.properties[kind.name].values()]})


def read(call: Call, kind_name: str, name: str) -> Reply:
    return Reply(200, _definition(call, _kind(call, kind_name, "read"), name).described())


def create(call: Call, kind_name: str) -> Reply:
    kind = _kind(call, kind_name, "write")
    return Reply(201, _create(call, kind, call.body()).described())


def update(call: Call, kind_name: str, name: str) -> Reply:
    """Everything but the name, of custom properties only."""
    kind = _kind(call, kind_name, "write")
    before = _custom(call, kind, name)
    changed = _read(call, kind, {**_as_written(before), **call.body(), "name": name})
    definition = replace(changed, created_at=before.created_at)
    call.portal.schema.properties[kind.name][name] = definition
    return Reply(200, definition.described())


def archive(call: Call, kind_name: str, name: str) -> Reply:
    kind = _kind(call, kind_name, "write")
    _drop(call, kind, name)
    return Reply(204)


def batch(call: Call, kind_name: str, operation: str) -> Reply:
    """Create (all rows or none), read, archive: each row as the single call."""
    kind = _kind(call, kind_name, "read" if operation == "read" else "write")
    rows = inputs(call.body())
    if operation == "create":
        made = [_read(call, kind, row) for row in rows]
        if len({each.name for each in made}) < len(made):
            raise invalid("A property name appears twice in the batch")
        for definition in made:
            _keep(call, kind, definition)
        return reply(call, 201, [each.described() for each in made], [])
    names = [shape.text(row.get("name"), "name") for row in rows]
    if operation == "archive":
        for name in [name for name in names if name in call.portal.schema.properties[kind.name]]:
            _drop(call, kind, name)
        return Reply(204)
    known = call.portal.schema.properties[kind.name]
    missing = [_unknown(kind, name).entry() for name in names if name not in known]
    return reply(call, 200, [known[name].described() for name in names if name in known], missing)


def _create(call: Call, kind: Kind, body: Mapping[str, object]) -> Property:
    definition = _read(call, kind, body)
    _keep(call, kind, definition)
    return definition


def _read(call: Call, kind: Kind, body: Mapping[str, object]) -> Property:
    """A definition from its JSON, checked."""
    texts = {name: shape.optional_text(body.get(name), name) or "" for name in _REQUIRED}
    missing = [name for name, text in texts.items() if not text]
    if missing:
        raise invalid(f"Some required fields were not set: [{', '.join(missing)}]")
    if not _NAME.fullmatch(texts["name"]):
        raise invalid(f"{texts['name']} is not a valid property name")
    if texts["fieldType"] not in ALLOWED_FIELD_TYPES.get(texts["type"], ()):
        raise invalid(f"fieldType {texts['fieldType']} does not go with type {texts['type']}")
    if texts["groupName"] not in call.portal.schema.groups[kind.name]:
        raise invalid(f"Group {texts['groupName']} does not exist")
    unique = body.get("hasUniqueValue") is True
    if unique and kind.name not in _UNIQUE_ON:
        raise invalid(f"Unique properties are not available on {kind.name}")
    now = call.hand.now
    return Property(
        name=texts["name"],
        label=texts["label"],
        type=texts["type"],
        field_type=texts["fieldType"],
        group=texts["groupName"],
        options=tuple(_option(each) for each in shape.mappings(body.get("options"), "options")),
        unique=unique,
        hubspot_defined=False,
        created_at=now,
        updated_at=now,
        details={name: body[name] for name in _DETAILS if name in body},
    )


def _option(body: Mapping[str, object]) -> dict[str, object]:
    value = shape.text(body.get("value"), "options.value")
    label = shape.optional_text(body.get("label"), "options.label") or value
    return {
        "label": label,
        "value": value,
        "displayOrder": shape.whole(body.get("displayOrder"), "displayOrder", -1),
        "hidden": body.get("hidden") is True,
    }


def _keep(call: Call, kind: Kind, definition: Property) -> None:
    known = call.portal.schema.properties[kind.name]
    if definition.name in known:
        # Status and words are unconfirmed.
        raise ApiError(409, f"A property named '{definition.name}' already exists.", "CONFLICT")
    if definition.unique:
        if sum(each.unique for each in known.values() if not each.hubspot_defined) >= _UNIQUE_MOST:
            raise invalid(f"At most {_UNIQUE_MOST} unique properties per object")
        call.portal.table(kind).unique[definition.name] = {}
    known[definition.name] = definition


def _drop(call: Call, kind: Kind, name: str) -> None:
    _custom(call, kind, name)
    del call.portal.schema.properties[kind.name][name]
    call.portal.table(kind).unique.pop(name, None)


def _definition(call: Call, kind: Kind, name: str) -> Property:
    definition = call.portal.schema.properties[kind.name].get(name)
    if definition is None:
        raise _unknown(kind, name)
    return definition


def _unknown(kind: Kind, name: str) -> ApiError:
    return ApiError(404, f"Property {name} does not exist on {kind.name}", "OBJECT_NOT_FOUND")


def _custom(call: Call, kind: Kind, name: str) -> Property:
    definition = _definition(call, kind, name)
    if definition.hubspot_defined:
        raise invalid(f"{name} is defined by HubSpot and cannot be changed")
    return definition


def _as_written(definition: Property) -> dict[str, object]:
    return {
        "label": definition.label,
        "type": definition.type,
        "fieldType": definition.field_type,
        "groupName": definition.group,
        "options": list(definition.options),
        "hasUniqueValue": definition.unique,
        **definition.details,
    }


def groups(call: Call, kind_name: str) -> Reply:
    kind = _kind(call, kind_name, "read")
    return Reply(200, {"results": [each.described() for each in call.portal.schema.groups[kind.name].values()]})


def create_group(call: Call, kind_name: str) -> Reply:
    kind = _kind(call, kind_name, "write")
    body = call.body()
    name = shape.text(body.get("name"), "name")
    label = shape.optional_text(body.get("label"), "label") or name
    known = call.portal.schema.groups[kind.name]
    if name in known:
        raise ApiError(409, f"A property group named '{name}' already exists.", "CONFLICT")
    known[name] = Group(name, label, shape.whole(body.get("displayOrder"), "displayOrder", -1))
    return Reply(201, known[name].described())


def group(call: Call, kind_name: str, name: str) -> Reply:
    """Read, rename (PATCH) or archive (DELETE) one group; one that is in use stays."""
    method = call.request.method
    kind = _kind(call, kind_name, "read" if method == "GET" else "write")
    known = call.portal.schema.groups[kind.name]
    if name not in known:
        raise ApiError(404, f"Property group {name} does not exist on {kind.name}", "OBJECT_NOT_FOUND")
    if method == "DELETE":
        if any(each.group == name for each in call.portal.schema.properties[kind.name].values()):
            raise invalid(f"Group {name} still has properties")
        del known[name]
        return Reply(204)
    if method == "PATCH":
        body = call.body()
        known[name].label = shape.optional_text(body.get("label"), "label") or known[name].label
    return Reply(200, known[name].described())
