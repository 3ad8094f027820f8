"""The three text slots of a sales form. A value goes by its DefinitionId; a slot that is off drops it."""

from __future__ import annotations

from syncd.sandbox.quickbooks.books import Books
from syncd.sandbox.quickbooks.checks import fit
from syncd.sandbox.quickbooks.schema import CUSTOM_FIELD_LENGTH
from syncd.sandbox.quickbooks.wire import Json, objects


def with_custom_fields(books: Books, fields: Json, kept: Json | None) -> Json:
    """The fields with one CustomField entry for each slot in use. `kept`: the old fields whose values stay."""
    values = {} if kept is None else _values(books, kept)
    values |= _values(books, fields)
    slots = []
    for position, name in enumerate(books.settings.SalesCustomFields, start=1):
        if name:
            slot = {"DefinitionId": str(position), "Name": name, "Type": "StringType"}
            value = values.get(str(position))
            slots.append({**slot, "StringValue": value} if value else slot)
    return {**fields, "CustomField": slots}


def _values(books: Books, fields: Json) -> dict[str, str]:
    cut = "truncate" in books.settings.normalise
    return {
        str(field.get("DefinitionId")): fit(field["StringValue"], "StringValue", CUSTOM_FIELD_LENGTH, truncate=cut)
        for field in objects(fields.get("CustomField"), "CustomField")
        if field.get("StringValue") is not None
    }
