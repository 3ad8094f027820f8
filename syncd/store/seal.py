"""Encryption of single stored values. The first byte says whether a value is sealed, so that a store opened without a
key says so instead of showing garbage."""

from __future__ import annotations

from typing import Protocol

from syncd.store.errors import SealedStore

_OPEN, _SEALED = b"\x00", b"\x01"


class Cipher(Protocol):
    """Authenticated encryption with the key inside, e.g. `cryptography.fernet.MultiFernet`."""

    def encrypt(self, msg: bytes) -> bytes: ...

    def decrypt(self, msg: bytes) -> bytes: ...


class Seal:
    """Puts values under a cipher if there is one.

    Raises:
        SealedStore: on opening a value with no key or the wrong one.
    """

    def __init__(self, cipher: Cipher | None) -> None:
        self._cipher = cipher

    def close(self, value: bytes) -> bytes:
        return _OPEN + value if self._cipher is None else _SEALED + self._cipher.encrypt(value)

    def open(self, stored: bytes) -> bytes:
        mark, value = stored[:1], bytes(stored[1:])
        if mark == _OPEN:
            return value
        if self._cipher is None:
            raise SealedStore("the state holds encrypted values and was opened without the master key")
        try:
            return self._cipher.decrypt(value)
        except Exception as error:
            raise SealedStore("the state was encrypted with another master key") from error
