"""Frozen dataclasses that are made quickly.

The standard library's store every field by a call of `object.__setattr__`, which takes four times as long as an
assignment; a good tenth of all work was that. They are as frozen as before once they are made.
"""

from __future__ import annotations

import dataclasses
from dataclasses import MISSING, fields
from typing import TYPE_CHECKING, Any, TypeVar

T = TypeVar("T")

if TYPE_CHECKING:
    from dataclasses import replace as replace
else:

    def replace(one: T, /, **changes: Any) -> T:
        """`dataclasses.replace`, quick for what is made quickly."""
        made = getattr(one, "_with", None)
        return dataclasses.replace(one, **changes) if made is None else made(changes)


def quick(frozen: type[T]) -> type[T]:
    """Give a frozen dataclass with slots a constructor that assigns: of a twin that is not frozen yet."""
    thawed = type(frozen.__name__, frozen.__bases__, {"__slots__": frozen.__slots__})  # type: ignore[attr-defined]
    known: dict[str, Any] = {"frozen": frozen, "thawed": thawed, "thaw": object.__setattr__, "new": object.__new__}
    names = [each.name for each in fields(frozen)]  # type: ignore[arg-type]
    places: dict[bool, list[str]] = {False: [], True: []}
    lines = ["thaw(self, '__class__', thawed)"]
    for each in fields(frozen):  # type: ignore[arg-type]
        name, default = each.name, f"default_{each.name}"
        made = each.default_factory is not MISSING
        given = MISSING if made else each.default
        known |= {default: given, f"make_{name}": each.default_factory}
        places[bool(each.kw_only)].append(name if given is MISSING and not made else f"{name}={default}")
        lines.append(f"self.{name} = " + (f"make_{name}() if {name} is {default} else {name}" if made else name))
    end = ["self.__class__ = frozen"] + ["self.__post_init__()"] * hasattr(frozen, "__post_init__")
    by_name = ["*", *places[True]] if places[True] else []
    made_as = f"__init__({', '.join(['self', *places[False], *by_name])})"
    copies = [f"self.{name} = before.{name}" for name in names]
    laid_over = "for name in changes: setattr(self, name, changes[name])"
    _define(frozen, made_as, [*lines, *end], known)
    _define(frozen, "_with(before, changes)", ["self = new(thawed)", *copies, laid_over, *end, "return self"], known)
    return frozen


def _define(frozen: type, head: str, lines: list[str], known: dict[str, Any]) -> None:
    exec(f"def {head}:\n  " + "\n  ".join(lines), known)  # noqa: S102 - as the standard library makes its own
    name = head.partition("(")[0]
    setattr(frozen, name, known[name])
