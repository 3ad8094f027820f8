"""Custom fields in these tests: what an administrator sets up on both sides, and what they hold."""

from __future__ import annotations

from typing import Any

import aiohttp

from tests.acceptance.world import Row, World

FLOWS = "syncs.invoicing.flows"


async def property_made(w: World, kind: str, name: str, type: str = "string", *options: str) -> None:
    """An administrator makes a HubSpot property."""
    field_type = {"string": "text", "number": "number", "date": "date", "enumeration": "select"}[type]
    body = {
        "name": name,
        "label": name,
        "type": type,
        "fieldType": field_type,
        "groupName": f"{kind.rstrip('s')}information",
        "options": [{"value": option, "label": option} for option in options],
    }
    await _call(w, "POST", f"crm/v3/properties/{kind}", body, 201)


async def property_dropped(w: World, kind: str, name: str) -> None:
    """An administrator archives a HubSpot property."""
    await _call(w, "DELETE", f"crm/v3/properties/{kind}/{name}", None, 204)


async def _call(w: World, method: str, path: str, body: Any, status: int) -> None:
    token = (w.folder / "syncd.secrets" / "hubspot_token").read_text().strip()
    headers = {"Authorization": f"Bearer {token}"}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.request(method, f"{w.url}/hubspot/{path}", json=body) as answer,
    ):
        assert answer.status == status, await answer.text()


def mapped(w: World, flow: str, *mappings: str) -> None:
    """Add `[[...mappings]]` to the configuration, each as the lines of its table."""
    tables = "".join(f"\n[[{FLOWS}.{flow}.mappings]]\n{lines}\n" for lines in mappings)
    w.file.write_text(w.file.read_text() + tables)


def slot(invoice: Row, label: str) -> str | None:
    """What a QuickBooks custom field holds."""
    found = {field["Name"]: field.get("StringValue") for field in invoice["CustomField"]}
    return found[label]


def typed(label: str, id: str, text: str) -> dict[str, list[dict[str, str]]]:
    """A person types into a QuickBooks custom field: fields for `World.books`."""
    return {"CustomField": [{"DefinitionId": id, "Name": label, "Type": "StringType", "StringValue": text}]}
