"""HubSpot's JSON. Property values are text or null; some routes have been seen to print numbers, so both are read."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, TypeVar

import msgspec

from syncd.connectors.base import Condition, ConnectionTrouble
from syncd.model.money import sensible


class Past(msgspec.Struct, rename="camel"):
    """One entry of a property's history, newest first in its list."""

    timestamp: str
    value: Any = None


class Record(msgspec.Struct, rename="camel"):
    """One CRM record of any type."""

    id: Annotated[str, msgspec.Meta(min_length=1)]
    properties: dict[str, Any] = {}  # whatever the portal defines; read through the functions below
    created_at: str | None = None
    updated_at: str | None = None
    archived: bool = False
    archived_at: str | None = None
    properties_with_history: dict[str, list[Past]] | None = None
    object_write_trace_id: str | None = None

    def text(self, name: str) -> str | None:
        """A property; None when it is empty."""
        value = self.properties.get(name)
        if isinstance(value, bool):
            return "true" if value else "false"
        return None if value is None or value == "" else str(value)

    def number(self, name: str) -> Decimal | None:
        """A number property.

        Raises:
            ValueError: not a number.
        """
        text = self.text(name)
        if text is None:
            return None
        try:
            amount = Decimal(text)
        except InvalidOperation as error:
            raise ValueError(f"{name} is no number") from error
        if not sensible(amount):
            raise ValueError(f"{name} is no number to calculate with")
        return amount


class Next(msgspec.Struct):
    """Where the next page begins."""

    after: str | int


class Paging(msgspec.Struct):
    """Present when there is a next page."""

    next: Next | None = None


class Detail(msgspec.Struct, rename="camel"):
    """One reason inside an error."""

    message: str = ""
    code: str | None = None
    sub_category: str | None = None
    context: dict[str, list[Any]] = {}


class Problem(msgspec.Struct, rename="camel"):
    """An error, of a whole request or of one entry of a batch. Every field may be missing."""

    message: str = ""
    category: str | None = None
    sub_category: str | None = None
    correlation_id: str | None = None
    error_type: str | None = None
    policy_name: str | None = None
    errors: list[Detail] = []
    context: dict[str, list[Any]] = {}
    status: Any = None  # "error", or the code itself on the token endpoint
    error: Any = None  # the code as OAuth has it, should the token endpoint ever say it so


class Records(msgspec.Struct, rename="camel"):
    """A list, a search or a batch answer."""

    results: list[Record] = []
    errors: list[Problem] = []
    paging: Paging | None = None
    total: int | None = None

    @property
    def after(self) -> str | None:
        """The next page's cursor, None on the last."""
        return str(self.paging.next.after) if self.paging and self.paging.next else None


class Errors(msgspec.Struct):
    """A batch answer of which only the errors are of use."""

    errors: list[Problem] = []


class Ref(msgspec.Struct):
    """An id inside an association answer."""

    id: str | int


class Linked(msgspec.Struct, rename="camel"):
    """The other end of an association. Its id is text by the schema and has been seen as a number."""

    to_object_id: str | int


class Links(msgspec.Struct):
    """All associations of one record."""

    from_: Ref = msgspec.field(name="from")
    to: list[Linked] = []
    paging: Paging | None = None


class LinksPage(msgspec.Struct):
    """An association batch read. Records that have none are named in `errors`."""

    results: list[Links] = []
    errors: list[Problem] = []

    @property
    def without(self) -> set[str]:
        """The records it says have none."""
        return {str(id) for problem in self.errors for id in problem.context.get("fromObjectId", [])}


class LinkedPage(msgspec.Struct):
    """Further associations of one record."""

    results: list[Linked] = []
    paging: Paging | None = None


class Portal(msgspec.Struct, rename="camel"):
    """The account."""

    portal_id: int
    company_currency: str = "USD"
    additional_currencies: list[str] = []
    time_zone: str = "UTC"


class TaxRate(msgspec.Struct, rename="camel"):
    """A rate of the account's tax library."""

    id: str | int
    percentage_rate: Decimal

    def __post_init__(self) -> None:
        if not sensible(self.percentage_rate):
            raise ValueError("percentageRate is no number to calculate with")


class TaxRates(msgspec.Struct):
    """All of them."""

    results: list[TaxRate] = []


class Modification(msgspec.Struct, frozen=True, rename="camel"):
    """What may be done with a property."""

    read_only_value: bool = False


class Option(msgspec.Struct):
    """One of the values an enumeration takes."""

    value: str


class Definition(msgspec.Struct, rename="camel"):
    """A property or property group; of a group only its name counts."""

    name: str
    type: str = ""
    calculated: bool = False
    external_options: bool = False
    options: list[Option] = []
    modification_metadata: Modification = Modification()

    @property
    def read_only(self) -> bool:
        """Whether no caller may write its value."""
        return self.modification_metadata.read_only_value

    @property
    def choices(self) -> list[str]:
        """The options' own names, which values are made of."""
        return [option.value for option in self.options]


class Definitions(msgspec.Struct):
    """A list of them."""

    results: list[Definition] = []


class Introspection(msgspec.Struct):
    """What a token may do."""

    scopes: list[str] = []


class Token(msgspec.Struct):
    """The token endpoint's answer."""

    access_token: str
    expires_in: float
    refresh_token: str | None = None
    hub_id: int | None = None


T = TypeVar("T")


def to(shape: type[T], decoded: object) -> T:
    """Decoded JSON as one of the shapes above.

    Raises:
        ConnectionTrouble: it is something else; nothing of it is used.
    """
    try:
        return msgspec.convert(decoded, shape)
    except msgspec.ValidationError as error:
        raise ConnectionTrouble(Condition.MALFORMED_ANSWER, str(error)) from error
