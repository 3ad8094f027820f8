"""Frozen dataclasses that are made quickly.

The standard library's store every field by a call of `object.__setattr__`, which takes four times as long as an
assignment; a good tenth of all work was that. They are as frozen as before once they are made.
"""

from __future__ import annotations

from dataclasses import MISSING, fields
from typing import Any, TypeVar

T = TypeVar("T")


def quick(frozen: type[T]) -> type[T]:
    """Give a frozen dataclass with slots a constructor that assigns: of a twin that is not frozen yet."""
    thawed = type(frozen.__name__, frozen.__bases__, {"__slots__": frozen.__slots__})  # type: ignore[attr-defined]
    known: dict[str, Any] = {"frozen": frozen, "thawed": thawed, "thaw": object.__setattr__}
    places: dict[bool, list[str]] = {False: [], True: []}
    lines = ["thaw(self, '__class__', thawed)"]
    for each in fields(frozen):  # type: ignore[arg-type]
        name, default = each.name, f"default_{each.name}"
        made = each.default_factory is not MISSING
        given = MISSING if made else each.default
        known |= {default: given, f"make_{name}": each.default_factory}
        places[bool(each.kw_only)].append(name if given is MISSING and not made else f"{name}={default}")
        lines.append(f"self.{name} = " + (f"make_{name}() if {name} is {default} else {name}" if made else name))
    lines.append("self.__class__ = frozen")
    if hasattr(frozen, "__post_init__"):
        lines.append("self.__post_init__()")
    by_name = ["*", *places[True]] if places[True] else []
    text = f"def __init__({', '.join(['self', *places[False], *by_name])}):\n  " + "\n  ".join(lines)
    exec(text, known)  # noqa: S102 - as the standard library makes its own
    frozen.__init__ = known["__init__"]  # type: ignore[method-assign]
    return frozen
