"""How HubSpot signs a webhook (request validation guide)."""

from __future__ import annotations

import hashlib
import hmac
import re
from base64 import b64encode
from urllib.parse import unquote

# ":/?@!$'()*,;" are hashed as themselves even where the address has them escaped.
_DECODED = re.compile(r"%(3A|2F|3F|40|21|24|27|28|29|2A|2C|3B)", re.IGNORECASE)


def v3(secret: str, method: str, uri: str, body: bytes, timestamp: str) -> str:
    """Base64 of the HMAC over method, address, body and time stamp (milliseconds)."""
    plain = _DECODED.sub(lambda escape: unquote(escape[0]), uri)
    message = method.encode() + plain.encode() + body + timestamp.encode()
    return b64encode(hmac.digest(secret.encode(), message, "sha256")).decode()


def v1(secret: str, body: bytes) -> str:
    """Hex of the hash over secret and body."""
    return hashlib.sha256(secret.encode() + body).hexdigest()
