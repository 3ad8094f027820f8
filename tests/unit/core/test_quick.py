"""Dataclasses with a quick constructor are the frozen ones they were."""

import dataclasses
from dataclasses import FrozenInstanceError, dataclass, field

import pytest

from syncd.model.quick import quick, replace


@quick
@dataclass(frozen=True, slots=True)
class Sample:
    name: str
    size: int = 3
    tags: list[str] = field(default_factory=list, kw_only=True)
    seen: list[str] = field(default_factory=list, kw_only=True, compare=False)

    def __post_init__(self) -> None:
        self.seen.append(self.name)


def test_it_takes_what_it_took():
    """By place and by name, with defaults that are each one's own; what follows construction follows."""
    one, other = Sample("a"), Sample("a", 3, tags=[])
    assert one == other
    assert (one.size, one.tags, one.seen) == (3, [], ["a"])
    assert one.tags is not Sample("a").tags
    with pytest.raises(TypeError):
        Sample()
    with pytest.raises(TypeError):
        Sample("a", 1, ["a"])
    for put in (replace, dataclasses.replace):
        assert put(one, size=4) == Sample("a", 4)
    with pytest.raises(AttributeError):
        replace(one, weight=1)


def test_it_is_frozen():
    """Once it is made nothing about it changes, and it is nothing else than it says."""
    for one in (Sample("a"), replace(Sample("b"), name="a")):
        with pytest.raises(FrozenInstanceError):
            one.name = "b"
        with pytest.raises(FrozenInstanceError):
            del one.name
        assert type(one) is Sample
