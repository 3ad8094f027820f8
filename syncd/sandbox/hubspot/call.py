"""One authenticated request on its way through the portal, and the answer to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from syncd.sandbox.base import Request
from syncd.sandbox.hubspot import shape
from syncd.sandbox.hubspot.errors import ApiError
from syncd.sandbox.hubspot.kinds import Kind
from syncd.sandbox.hubspot.portal import Portal
from syncd.sandbox.hubspot.record import Hand


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer before it is JSON; `None` is an empty body."""

    status: int
    body: Mapping[str, object] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Call:
    """What a handler gets. `scopes` are those the token has."""

    portal: Portal
    request: Request
    hand: Hand
    scopes: frozenset[str]
    args: Mapping[str, str]

    def body(self) -> Mapping[str, object]:
        return shape.body(self.request.body)

    def require(self, kind: Kind, access: str) -> None:
        """The object scope of a kind: `read` or `write`."""
        self.require_scope(f"crm.objects.{kind.scope}.{access}")

    def require_scope(self, scope: str) -> None:
        if scope not in self.scopes:
            raise ApiError(
                403,
                "This app hasn't been granted all required scopes to make this call. Read more about required scopes "
                "here: https://developers.hubspot.com/scopes.",
                "MISSING_SCOPES",
                errors=[
                    {
                        "message": "One or more of the following scopes are required.",
                        "context": {"requiredGranularScopes": [scope]},
                    }
                ],
                extra={"links": {"scopes": "https://developers.hubspot.com/scopes"}},
            )

    def names(self, arg: str) -> list[str]:
        """A list of the query string: separated by commas, as in the guides, or repeated, as client libraries do."""
        values = [value for name, value in parse_qsl(self.request.query) if name == arg]
        return [name.strip() for value in values for name in value.split(",") if name.strip()]

    def flag(self, arg: str) -> bool:
        return self.args.get(arg, "").lower() == "true"
