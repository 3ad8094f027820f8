"""The types of single settings: addresses, durations, plain values and references to secrets.

Each refuses with a message and a cure, so that whoever wrote the file knows what to type. A secret's value never
appears in a message.
"""

from __future__ import annotations

import os
import re
import stat
from base64 import b64decode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, NamedTuple
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, PlainValidator, SecretStr, ValidationInfo
from pydantic_core import PydanticCustomError

SECRET_BYTES = 64 * 1024  # a credential is short; more is the wrong file
SIGNING_BYTES = 24
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


@dataclass(frozen=True, slots=True)
class Places:
    """Where references to secrets and relative paths lead: the environment and the configuration file's directory."""

    environ: Mapping[str, str]
    directory: Path


class Listen(NamedTuple):
    """Where a listener is bound."""

    host: str
    port: int

    @property
    def loopback(self) -> bool:
        return is_loopback(self.host)

    @property
    def url(self) -> str:
        return f"http://{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"


def refusal(message: str, cure: str) -> PydanticCustomError:
    """A validation error whose cure is known here and not only from the field's description."""
    return PydanticCustomError("refused", "{words}", {"words": message, "cure": cure})


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach the host's address. Names other than localhost are not trusted to be."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _listen_anywhere(raw: object) -> Listen:
    parts = urlsplit(f"//{raw}") if isinstance(raw, str) else None
    try:
        found = Listen(parts.hostname, parts.port) if parts and parts.hostname and parts.port is not None else None
    except ValueError:  # a port that is no number or above 65535
        found = None
    if found is None or parts is None or parts.netloc != raw:
        raise refusal("is no address with a port", 'write it like "127.0.0.1:8300" or "[::1]:8300"')
    return found


def _listen(raw: object) -> Listen:
    found = _listen_anywhere(raw)
    if not found.loopback:
        raise refusal("is open to other machines, and there are no access tokens yet", 'use "127.0.0.1:8300"')
    return found


def in_utc(moment: datetime) -> datetime:
    """The same moment in UTC."""
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise refusal("is beyond all calendars", "write a moment like 2026-11-01T00:00:00Z") from None


def _duration(raw: object) -> timedelta:
    found = re.fullmatch(r"(\d{1,6})([smhd])", raw) if isinstance(raw, str) else None
    if not found or int(found[1]) == 0:
        raise refusal("is no duration", 'write a number and a unit, like "30s", "1m" or "2h"')
    return timedelta(seconds=int(found[1]) * _SECONDS[found[2]])


def _amount(raw: object) -> Decimal:
    if isinstance(raw, int | Decimal) and not isinstance(raw, bool) and raw >= 0:
        return Decimal(raw)
    raise refusal("is no amount", "write a number like 50000")


def _approval(raw: object) -> int | None:
    if raw == "off":
        return None
    if isinstance(raw, int) and not isinstance(raw, bool) and raw >= 0:
        return raw
    raise refusal("is no number of records", 'write a number like 20, or "off" to create any number without asking')


def _plain(raw: object) -> str | bool | int | float:
    if isinstance(raw, Decimal):
        return float(raw)  # seconds and the like; no option of a connection is an amount
    if isinstance(raw, str | bool | int):
        return raw
    raise refusal("is not a simple value", "give text, a number, true or false")


def _vendor_url(raw: object) -> str:
    parts = urlsplit(raw) if isinstance(raw, str) else None
    if not isinstance(raw, str) or parts is None or parts.scheme not in ("http", "https") or not parts.hostname:
        raise refusal("is no web address", 'write it like "https://api.example.com" or leave it out')
    if parts.username is not None or parts.password is not None:
        raise refusal("carries credentials", "take them out of the address; use token or client_secret")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise refusal("would send credentials in the clear", "use https; http is for this machine only")
    return raw.rstrip("/")


def _public_url(raw: object) -> str:
    parts = urlsplit(raw) if isinstance(raw, str) else None
    if not isinstance(raw, str) or parts is None or not parts.hostname or parts.query or parts.fragment:
        raise refusal("is no web address", 'write it like "https://sync.example.com"')
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(parts.hostname)):
        raise refusal("is not https", "vendors send webhooks over https only; http is for the sandbox on this machine")
    return raw.rstrip("/")


def _notify_url(address: str) -> str:
    """May hold a secret in its path, as chat programs' addresses do, so a message does not repeat it."""
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise refusal("is no web address", 'write it like "https://alerts.example.com/syncd"')
    if parts.username is not None or parts.password is not None:
        raise refusal("carries credentials", "take them out of the address; requests are signed with the secret")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise refusal("is not https", "use https; http is for this machine only")
    return address


def _signing(secret: SecretStr) -> SecretStr:
    value = secret.get_secret_value()
    if len(value) < SIGNING_BYTES:
        raise refusal(
            "is too short to sign with", f"give {SIGNING_BYTES} characters at least (openssl rand -base64 32)"
        )
    if value.startswith("whsec_"):
        try:
            b64decode(value.removeprefix("whsec_"), validate=True)
        except ValueError:
            raise refusal("begins with whsec_ and is not base64 after it", "give it as the receiver shows it") from None
    return secret


def _redirect_url(raw: object) -> str:
    """Kept letter by letter: the vendor compares it with what is registered there."""
    address = _public_url(raw)
    parts = urlsplit(address)
    if parts.scheme == "http" and not parts.port:
        raise refusal("has no port", 'vendors want the exact address; write it like "http://localhost:8411/callback"')
    return str(raw)


def _database(raw: object) -> str:
    parts = urlsplit(raw) if isinstance(raw, str) else None
    if not isinstance(raw, str) or parts is None or parts.scheme != "postgresql":
        raise refusal("is no PostgreSQL address", 'write "postgresql://host/name", or leave it out to use SQLite')
    if parts.password is not None:
        raise refusal("holds a password", "take it out and put it into the service user's ~/.pgpass (mode 0600)")
    return raw


def _secret(raw: object, info: ValidationInfo) -> SecretStr:
    if isinstance(raw, str):
        raise refusal(
            "is written out in the file; secrets are only referred to",
            'put it into a file of mode 0600 and write { file = "..." }, or { credential = "..." } with systemd',
        )
    if not isinstance(raw, Mapping) or len(raw) != 1:
        raise refusal("is no reference to a secret", _REFERENCES)
    ((way, name),) = raw.items()
    if way not in _WAYS or not isinstance(name, str) or not name:
        raise refusal("is no reference to a secret", _REFERENCES)
    places = info.context
    assert isinstance(places, Places)
    value = _WAYS[way](name, places)
    if not value:
        raise refusal("refers to an empty secret", f"put the value into the {way} {name!r}")
    return SecretStr(value)


def _secrets(raw: object, info: ValidationInfo) -> tuple[SecretStr, ...]:
    """One secret, or two while one takes the other's place."""
    listed = raw if isinstance(raw, list) else [raw]
    if not 1 <= len(listed) <= 2:
        raise refusal("is a list of neither one nor two secrets", "give the one in use, and beside it one to change to")
    return tuple(_secret(each, info) for each in listed)


def _public(raw: object, info: ValidationInfo) -> str:
    """A client id: no secret, so it may stand in the file, or be referred to like one."""
    return raw if isinstance(raw, str) and raw else _secret(raw, info).get_secret_value()


def _from_credential(name: str, places: Places) -> str:
    directory = places.environ.get("CREDENTIALS_DIRECTORY")
    if not directory:
        raise refusal(
            f"refers to the systemd credential {name!r}, but $CREDENTIALS_DIRECTORY is not set",
            f"run under a unit with LoadCredential={name}:..., or use {{ file = ... }} or {{ env = ... }} here",
        )
    if "/" in name or name in (".", ".."):
        raise refusal(f"names no credential: {name!r}", "a credential's name has no slash")
    # systemd grants the service's user access by an ACL, which shows as group bits.
    return _read(Path(directory) / name, f"add LoadCredential={name}:... to the unit", stat.S_IRWXO)


def _from_env(name: str, places: Places) -> str:
    if name not in places.environ:
        raise refusal(f"refers to the environment variable {name}, which is not set", f"export {name}")
    return places.environ[name].strip()


def _from_file(name: str, places: Places) -> str:
    path = places.directory / Path(name).expanduser()
    return _read(path, "create the file with mode 0600, holding nothing but the value", stat.S_IRWXG | stat.S_IRWXO)


def _read(path: Path, cure: str, forbidden: int) -> str:
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            if mode & forbidden:
                raise refusal(f"refers to {path}, which others can read (mode {mode & 0o777:04o})", f"chmod 600 {path}")
            return file.read(SECRET_BYTES).decode().strip()
    except OSError as error:
        raise refusal(f"refers to {path}, which cannot be read: {error.strerror}", cure) from error
    except UnicodeDecodeError:
        raise refusal(f"refers to {path}, which is no text", cure) from None


_WAYS: Mapping[str, Callable[[str, Places], str]] = {
    "credential": _from_credential,
    "env": _from_env,
    "file": _from_file,
}
_REFERENCES = 'write { credential = "name" }, { env = "NAME" } or { file = "path" }'

ListenAddress = Annotated[Listen, PlainValidator(_listen)]
OpenListenAddress = Annotated[Listen, PlainValidator(_listen_anywhere)]
Amount = Annotated[Decimal, PlainValidator(_amount)]
Approval = Annotated[int | None, PlainValidator(_approval)]
Duration = Annotated[timedelta, PlainValidator(_duration)]
Plain = Annotated[str | bool | int | float, PlainValidator(_plain)]
VendorUrl = Annotated[str, PlainValidator(_vendor_url)]
PublicUrl = Annotated[str, PlainValidator(_public_url)]
RedirectUrl = Annotated[str, PlainValidator(_redirect_url)]
DatabaseUrl = Annotated[str, PlainValidator(_database)]
Secret = Annotated[SecretStr, BeforeValidator(_secret)]
SigningSecret = Annotated[SecretStr, BeforeValidator(_secret), AfterValidator(_signing)]
Secrets = Annotated[tuple[SecretStr, ...], PlainValidator(_secrets)]
PublicOrSecret = Annotated[str, BeforeValidator(_public)]
NotifyUrl = Annotated[str, BeforeValidator(_public), AfterValidator(_notify_url)]
