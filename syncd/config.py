"""The configuration file `syncd.toml`: what it may say, and how it is read.

`load` either gives a whole `Config`, its secrets already fetched from where the file refers to them, or raises
`ConfigError` with every problem at once. Unknown keys are refused at every level: a misspelt setting that is silently
ignored would be discovered in someone's books.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, SecretStr, ValidationError

from syncd.config_checks import check_meaning, describe
from syncd.config_lines import Lines, locate
from syncd.config_lines import Path as KeyPath
from syncd.config_values import (
    Amount,
    Approval,
    DatabaseUrl,
    Duration,
    Listen,
    ListenAddress,
    NotifyUrl,
    OpenListenAddress,
    Places,
    Plain,
    PublicOrSecret,
    PublicUrl,
    RedirectUrl,
    Secret,
    Secrets,
    SigningSecret,
    VendorUrl,
    in_utc,
)
from syncd.core.breakers import Limits
from syncd.errors import ConfigError, Problem

DATABASE_FILE = "syncd.db"
Moment = Annotated[AwareDatetime, AfterValidator(in_utc)]


class StrictModel(BaseModel):
    """A table of the file. Values are taken as they are written: no text becomes a number."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class DiskReserve(StrictModel):
    """How much room the disk must have for work to go on: the larger of the two."""

    megabytes: int = Field(200, ge=0, description="a number of megabytes")
    percent: int = Field(5, ge=0, le=100, description="a percentage of the whole disk")


class Notify(StrictModel):
    """Whom to tell when a connection or a flow comes into another condition."""

    url: NotifyUrl = Field(
        description='an https address like "https://alerts.example.com/syncd", or a reference to one'
    )
    secret: SigningSecret = Field(description="a reference to the secret the requests are signed with")


class Daemon(StrictModel):
    """How the daemon itself runs."""

    listen: ListenAddress = Field(Listen("127.0.0.1", 8300), description='an address like "127.0.0.1:8300"')
    state_dir: str | None = Field(None, description="a directory, absolute or relative to this file")
    language: Literal["en", "fr"] = Field("en", description='"en" or "fr"')
    database: DatabaseUrl | None = Field(None, description='"postgresql://host/name", or nothing for SQLite')
    open_on_loopback: bool = Field(False, description="true or false")
    notify: Notify | None = Field(None, description="a table like { url = ..., secret = { ... } }")
    disk_reserve: DiskReserve = Field(DiskReserve(), description="a table like { megabytes = 200, percent = 5 }")


class Webhooks(StrictModel):
    """The listener that vendors call, behind a proxy that speaks TLS."""

    listen: OpenListenAddress = Field(Listen("127.0.0.1", 8301), description='an address like "127.0.0.1:8301"')
    public_url: PublicUrl = Field(description='how vendors reach it, like "https://sync.example.com"')
    connections: int = Field(512, ge=1, le=10_000, description="how many connections there may be at once")
    per_address: int | None = Field(None, ge=1, description="how many of them may come from one address")

    @property
    def most_per_address(self) -> int:
        """On loopback everybody comes from one address, the proxy's."""
        return self.per_address or (self.connections if self.listen.loopback else 32)


class Connection(StrictModel):
    """One account at one vendor. Secrets hold the fetched value; printing them shows stars."""

    vendor: Literal["hubspot", "quickbooks"] = Field(description='"hubspot" or "quickbooks"')
    token: Secret | None = Field(None, description="a reference to the access token")
    client_id: PublicOrSecret | None = Field(None, description="the app's client id")
    client_secret: Secret | None = Field(None, description="a reference to the app's client secret")
    refresh_token: Secret | None = Field(None, description="a reference to an OAuth refresh token from elsewhere")
    redirect_url: RedirectUrl | None = Field(
        None, description='the app\'s registered redirect address, like "http://localhost:8411/callback"'
    )
    webhook_secrets: Secrets = Field(
        (), alias="webhook_secret", description="a reference to what the app's webhooks are signed with, or two of them"
    )
    account: str | None = Field(None, description="the vendor's account id as text (a portal or company id)")
    url: VendorUrl | None = Field(None, description="the address of a stand-in for the vendor, like the sandbox")
    options: dict[str, Plain] = Field(default_factory=dict, description="a table of simple values")


class Filters(StrictModel):
    """A flow's free filters per direction, as written; the recipe checks them."""

    left_to_right: Any = Field(None, alias="left-to-right", description="a list of conditions")
    right_to_left: Any = Field(None, alias="right-to-left", description="a list of conditions")


class Flow(StrictModel):
    """What the file says about one flow; what it does not say, the recipe does."""

    direction: Literal["both", "left-to-right", "right-to-left", "off"] | None = Field(
        None, description='"both", "left-to-right", "right-to-left" or "off"'
    )
    conflict: str | None = Field(None, description='one of the two connections\' names, "left", "right" or "hold"')
    filters: Filters = Field(Filters(), description="a table with left-to-right and right-to-left")
    options: dict[str, Any] = Field(default_factory=dict, description="a table; the recipe knows its keys")
    mappings: list[dict[str, Any]] = Field(default_factory=list, description="tables [[...mappings]]")


class Guard(StrictModel):
    """The figures below which no circuit breaker of a sync ever holds anything; see `core.breakers`."""

    removals: int = Field(20, ge=0, description="a number of records voided or deleted within an hour")
    creates: int = Field(100, ge=0, description="a number of records created within an hour")
    changes: int = Field(50, ge=0, description="a number of records changed within an hour")
    money: Amount | None = Field(None, description="an amount by which all totals together may change within an hour")
    rules: int = Field(20, ge=0, description="a number of records that changed rules may write to")
    empty: int = Field(10, ge=1, description="a number of records, the least that a side must have lost")
    clock: Duration = Field(timedelta(minutes=10), description='a duration like "10m"')
    closed: int = Field(20, ge=1, description="a number of refusals for a closed period")

    def limits(self) -> Limits:
        return Limits(**self.model_dump())


class Sync(StrictModel):
    """Two connections joined by a recipe."""

    recipe: str = Field(description='the name of a recipe, like "hubspot-quickbooks"')
    left: str = Field(description="the name of the connection on the left")
    right: str = Field(description="the name of the connection on the right")
    start: Moment | None = Field(None, description="a moment with its zone, like 2026-11-01T00:00:00Z")
    poll: Duration = Field(timedelta(minutes=1), description='a duration like "1m"')
    guard: Guard = Field(Guard(), description="a table like { removals = 20 }")
    approval: Approval = Field(20, description='a number of records, or "off"')
    state_properties: bool = Field(False, description="true to show each record's state inside HubSpot")
    flows: dict[str, Flow] = Field(default_factory=dict, description="tables [syncs.<name>.flows.<flow>]")


class _Sections(StrictModel):
    daemon: Daemon = Field(Daemon(), description="the table [daemon]")
    webhooks: Webhooks | None = Field(None, description="the table [webhooks]")
    connections: dict[str, Connection] = Field(description="at least two tables [connections.<name>]")
    syncs: dict[str, Sync] = Field(description="at least one table [syncs.<name>]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """A configuration without known problems. `raw` is the file's content as parsed, for the recipes."""

    file: Path
    state_dir: Path
    daemon: Daemon
    connections: Mapping[str, Connection]
    syncs: Mapping[str, Sync]
    raw: Mapping[str, Any] = field(repr=False)
    webhooks: Webhooks | None = None
    lines: Lines = field(default=Lines({}), repr=False)

    @property
    def database_url(self) -> str:
        """Where the state is: SQLite in the state directory unless the file says otherwise."""
        return self.daemon.database or f"sqlite:///{self.state_dir / DATABASE_FILE}"

    def problem(self, path: KeyPath, message: str, cure: str) -> Problem:
        """A problem that shows only once the configuration is used, placed at the key it comes from."""
        return _problem(self.file, self.lines, path, message, cure)


def load(path: Path, environ: Mapping[str, str], state_dir: Path | None = None) -> Config:
    """Read and check the file; `state_dir` overrides the file's.

    Raises:
        ConfigError: with all problems that can be told apart. A file that is no TOML has just that one.
    """
    path = path.absolute()
    raw, lines = _parse(path)
    places = Places(environ, path.parent)
    try:
        sections = _Sections.model_validate(raw, context=places)
        found = []
    except ValidationError as error:
        found = describe(_Sections, error.errors(include_url=False, include_input=False))
    found += check_meaning(raw)
    if found:
        # Of two checks that object to the same key the first knows it better.
        first = {where: _problem(path, lines, where, words, cure) for where, words, cure in reversed(found)}
        raise ConfigError(list(first.values()))
    where = state_dir.absolute() if state_dir else _state_dir(sections.daemon.state_dir, places)
    return Config(
        file=path,
        state_dir=where,
        daemon=sections.daemon,
        connections=sections.connections,
        syncs=sections.syncs,
        raw=raw,
        webhooks=sections.webhooks,
        lines=lines,
    )


def secret(value: SecretStr | None) -> str | None:
    """The value behind a setting that may be missing."""
    return value.get_secret_value() if value else None


def _parse(path: Path) -> tuple[Mapping[str, Any], Lines]:
    try:
        text = path.read_bytes().decode()
        return tomllib.loads(text, parse_float=Decimal), locate(text.replace("\r\n", "\n"))
    except OSError as error:
        cure = "write one with `syncd init`, or name it with --config"
        raise ConfigError([Problem(path, 1, "", f"cannot be read: {error.strerror}", cure)]) from error
    except UnicodeDecodeError as error:
        raise ConfigError([Problem(path, 1, "", "is not UTF-8 text", "save it as UTF-8")]) from error
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"at line (\d+)", str(error))
        problem = Problem(path, int(line[1]) if line else 1, "", f"is not valid TOML: {error}", "see https://toml.io")
        raise ConfigError([problem]) from error
    except (ValueError, RecursionError) as error:  # a number of thousands of digits, a thousand levels of lists
        words, cure = "holds a number or a list beyond all measure", "write it as `syncd init` does"
        raise ConfigError([Problem(path, 1, "", words, cure)]) from error


def _state_dir(configured: str | None, places: Places) -> Path:
    if configured is not None:
        return places.directory / Path(configured).expanduser()
    if given := places.environ.get("STATE_DIRECTORY"):
        return Path(given.split(":")[0])  # systemd lists several directories with colons
    return Path(places.environ.get("HOME", "~")).expanduser() / ".local/state/syncd"


def _problem(file: Path, lines: Lines, path: KeyPath, message: str, cure: str) -> Problem:
    return Problem(file, lines.of(path), dotted(path), message, cure)


def dotted(path: KeyPath) -> str:
    """A key path as it is written in the file, items of lists counted from 1: `flows.invoices.mappings[2].left`."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part + 1}]"
        else:
            name = part if re.fullmatch(r"[A-Za-z0-9_-]+", part) else f'"{part}"'
            text += f".{name}" if text else name
    return text
