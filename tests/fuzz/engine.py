"""A small coverage-guided fuzzer: inputs that reach new steps of the code under test are kept and altered further.

Deterministic: the same target, seed and number of runs try the same inputs, in every process. What is followed are
steps from one line to the next, in the files of the target alone, by Python's own tracing. Seeds are real samples; what
they are altered with are the texts that stand in the code under test, and values that break careless readers.
"""

from __future__ import annotations

import copy
import json
import sys
import tracemalloc
import zlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from random import Random
from types import CodeType, FrameType, ModuleType
from typing import Any

import structlog

from syncd.log import redact
from syncd.log_errors import in_places

PRIVATE = "Zanzibarella"
"""Stands in the personal fields of seeds, and is put anywhere else: no line of a log may show it."""

MOST_STEPS = 400_000  # lines of the code under test for one input: more is a loop without an end
MOST_MEMORY = 64 * 1024 * 1024  # bytes at once for one input
LONGEST = 1 << 17  # bytes of an input
STRANGE: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 7, 10**18, 10**40, 0.1, 1e308, [], {}, [[]], [{}], [None], {"": None}),
    *("", " ", "\x00", "²", "٣", "\ud800", "é\u0301", "x" * 300, "9" * 40, "-0", "NaN", "sNaN", "Infinity", "1e400"),
    *("-1e999999999", "0x1F", "1,5", "2026-02-30", "2026-11-02", "2026-11-02T00:00:00", "9999-12-31T23:59:59-12:00"),
    *("0001-01-01T00:00:00+14:00", "2026-11-02T24:00:00Z", "99999999999999", "-99999999999999", PRIVATE),
)
TYPES: tuple[Any, ...] = (None, True, 7, 0.5, "x", [7], {"x": 7})
BYTES = (
    *(b"\x00", b"\xff", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"[" * 20_000, b'{"":' * 5000, b"9" * 5000, b"1e999999999"),
    *(b"NaN", b"-", b"+", b"'", b'"', b"\\", b"%", b"%00", b"%FF", b";", b"&", b"=", b",", b":", b"\r\n", b"\\ud800"),
    PRIVATE.encode(),
)

Seed = tuple[str, bytes]
"""A label, which tells the target what the bytes are, and the bytes."""


@dataclass(frozen=True, kw_only=True)
class Target:
    """One parser.

    Attributes:
        run: gives it an input; has its own assertions on what comes out.
        about: the modules whose lines count. errors: what it may raise. json: whether inputs are mostly JSON.
        runs: of a short slice.
    """

    name: str
    run: Callable[[str, bytes], object]
    seeds: Callable[[], Iterable[Seed]]
    about: Sequence[ModuleType]
    errors: tuple[type[BaseException], ...] = ()
    json: bool = True
    runs: int = 1500


@dataclass
class Figures:
    """What came of it.

    Attributes:
        kept: inputs that reached something new. lines: reached, of those in the functions that were reached at all.
        steps: different ones, from line to line.
    """

    inputs: int = 0
    refused: int = 0
    kept: int = 0
    lines: int = 0
    of: int = 0
    steps: int = 0

    def counted(self) -> dict[str, int]:
        return dict(vars(self))


class Finding(AssertionError):
    """An input that does what none may do."""

    def __init__(self, target: Target, seed: Seed, error: BaseException) -> None:
        label, data = seed
        again = f".venv/bin/python -m tests.fuzz {target.name!r} {label!r} {packed(data)}"
        super().__init__(f"{target.name}: {type(error).__name__}: {error}\n{label}: {data[:300]!r}\nagain: {again}")
        self.seed = seed
        self.error = error


def packed(data: bytes) -> str:
    """An input as a word of a command line."""
    return urlsafe_b64encode(zlib.compress(data, 9)).decode()


def unpacked(text: str) -> bytes:
    return zlib.decompress(urlsafe_b64decode(text))


class TooMuch(BaseException):
    """An input costs more time or memory than any may. No handler of the code under test is to catch it."""


Step = tuple[CodeType, int, int]


@dataclass
class Watch:
    """Follows the code of some modules while an input runs.

    Attributes:
        steps: the step taken: in which code, from which line, to which.
    """

    files: frozenset[str]
    steps: set[Step] = field(default_factory=set)
    count: int = 0

    def run(self, target: Target, seed: Seed) -> bool:
        """Whether the input was accepted.

        Raises:
            Finding: it was neither accepted nor refused as the target says, or told something private.
        """
        self.steps, self.count = set(), 0
        before = sys.gettrace()
        sys.settrace(self._called)
        try:
            with structlog.testing.capture_logs([redact, in_places]) as said:
                target.run(*seed)
        except target.errors:
            accepted = False
        except (Exception, TooMuch) as error:
            raise Finding(target, seed, error) from error
        else:
            accepted = True
        finally:
            sys.settrace(before)
        if PRIVATE in repr(said):
            raise Finding(target, seed, AssertionError(f"said in the log: {said}"))
        return accepted

    def _called(self, frame: FrameType, event: str, argument: object) -> Any:
        code = frame.f_code
        if code.co_filename not in self.files:
            return None
        last = 0

        def stepped(frame: FrameType, event: str, argument: object) -> Any:
            nonlocal last
            if event == "line":
                self.steps.add((code, last, frame.f_lineno))
                last = frame.f_lineno
                self.count += 1
                if self.count > MOST_STEPS:
                    raise TooMuch("no end of it")
            return stepped

        return stepped


def fuzz(target: Target, runs: int, seed: int = 0) -> Figures:
    """Try so many inputs.

    Raises:
        Finding: one does what none may do; as short as it could be made.
    """
    draw, figures = Random(f"{target.name} {seed}"), Figures()
    watch = Watch(frozenset(str(module.__file__) for module in target.about))
    seeds, reached = list(target.seeds()), set[Step]()
    corpus = list(seeds)
    words = _words(target.about)
    for number in range(len(seeds) + runs):
        tried = seeds[number] if number < len(seeds) else _altered(draw, corpus, words, json=target.json)
        try:
            figures.refused += not watch.run(target, tried)
        except Finding as found:
            raise shortened(target, found, watch) from found.error
        figures.inputs += 1
        if not watch.steps <= reached:
            reached |= watch.steps
            _spare(target, tried)
            if number >= len(seeds):
                corpus.append(tried)
                figures.kept += 1
    functions = {code for code, _, _ in reached}
    figures.lines = len({(code, line) for code, _, line in reached if line != code.co_firstlineno})
    figures.of, figures.steps = sum(map(_lines_in, functions)), len(reached)
    return figures


def _spare(target: Target, seed: Seed) -> None:
    """An input that reaches something new is run once more, to see how much memory it takes."""
    tracemalloc.start()
    try:
        Watch(frozenset()).run(target, seed)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    if peak > MOST_MEMORY:
        raise Finding(target, seed, TooMuch(f"{peak} bytes of memory"))


def shortened(target: Target, found: Finding, watch: Watch) -> Finding:
    """The same finding, of an input from which nothing more could be cut in some tries."""
    kind, (label, data) = type(found.error), found.seed
    size, tries = len(data) // 2, 0
    while size and tries < 150:
        for start in range(0, len(data), size):
            tries += 1
            shorter = data[:start] + data[start + size :]
            try:
                watch.run(target, (label, shorter))
            except Finding as again:
                if type(again.error) is kind:
                    found, data = again, shorter
                    break
        else:
            size //= 2
    return found


# -- altering


def _altered(draw: Random, corpus: Sequence[Seed], words: Sequence[str], *, json: bool) -> Seed:
    """One of the inputs so far, those found last more likely, with something about it changed."""
    label, data = corpus[int(len(corpus) * draw.random() ** 0.7)]
    changes = draw.choice((1, 1, 1, 1, 2, 4))
    if json and draw.random() < 0.8 and (content := _parsed(data)) is not _NONE:
        content = copy.deepcopy([content])
        for _ in range(changes):
            _change(draw, content, corpus, words)
        return label, dumped(content[0])[:LONGEST]
    for _ in range(changes):
        data = _bent(draw, data, corpus[draw.randrange(len(corpus))][1], words)
    return label, data[:LONGEST]


def _bent(draw: Random, data: bytes, other: bytes, words: Sequence[str]) -> bytes:
    """Bytes flipped, cut, doubled, replaced by numbers or words, or joined with those of another input."""
    at = draw.randrange(len(data) + 1)
    to = min(len(data), at + draw.choice((1, 1, 2, 4, 16, len(data))))
    word = draw.choice(words).encode("utf-8", "replace") if words and draw.random() < 0.6 else draw.choice(BYTES)
    match draw.randrange(8):
        case 0 if at < len(data):
            return data[:at] + bytes([data[at] ^ 1 << draw.randrange(8)]) + data[at + 1 :]
        case 1:
            return data[:at] + data[to:]
        case 2:
            return data[:to] + data[at:to] * draw.choice((1, 2, 50)) + data[to:]
        case 3:
            return data[:at] + str(draw.choice((0, -1, 1, 99, 10**9, 10**20))).encode() + data[to:]
        case 4:
            return data[:at] + other[draw.randrange(len(other) + 1) :]
        case 5:
            return data[:at]
        case 6:
            return data[:at] + word + data[at:]
        case _:
            return data[:at] + word + data[to:]


def _change(draw: Random, holder: Any, corpus: Sequence[Seed], words: Sequence[str]) -> None:
    """Change one place below."""
    holder, place = draw.choice(list(_places(holder)))
    inner = holder[place]
    kinds = draw.choice((TYPES, STRANGE, words or TYPES))
    strange: Any = copy.deepcopy(draw.choice(kinds))
    match draw.randrange(8):
        case 0 if len(holder) > 1:
            del holder[place]
        case 1 if isinstance(holder, list):
            holder.extend([copy.deepcopy(inner)] * draw.choice((1, 1, 100)))
        case 2 if isinstance(inner, str):
            cut = draw.randrange(len(inner) + 1)
            holder[place] = inner[:cut] + str(strange) + inner[cut + draw.randrange(2) :]
        case 3:
            holder[place] = draw.choice(
                ([inner], {"value": inner}, str(inner), inner if holder is inner else [inner] * 2)
            )
        case 4 if isinstance(holder, dict):
            holder[str(strange)] = holder.pop(place)
        case 5:
            other = _parsed(corpus[draw.randrange(len(corpus))][1])
            within, at = draw.choice(list(_places([other])))
            holder[place] = copy.deepcopy(within[at]) if other is not _NONE else strange
        case 6 if isinstance(inner, dict):
            inner[draw.choice(words) if words else ""] = strange
        case _:
            holder[place] = strange


_NONE = object()


def _parsed(data: bytes) -> Any:
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return _NONE


def dumped(content: Any) -> bytes:
    """JSON as it may be written, which is more than what is JSON."""
    return json.dumps(content, ensure_ascii=False).encode("utf-8", "surrogatepass")


def _places(holder: Any) -> Iterator[tuple[Any, Any]]:
    """Everything inside, by what it is in and where."""
    for place, inner in list(holder.items()) if isinstance(holder, dict) else enumerate(holder):
        yield holder, place
        if isinstance(inner, dict | list):
            yield from _places(inner)


# -- the code under test


def _words(modules: Sequence[ModuleType]) -> list[str]:
    """The texts that stand in it."""
    found = Counter[str]()
    for module in modules:
        for code in codes_of(module):
            for constant in code.co_consts:
                each = constant if isinstance(constant, tuple | frozenset) else (constant,)
                found.update(one for one in each if isinstance(one, str) and 0 < len(one) < 40 and "\n" not in one)
    return sorted(found)


def codes_of(module: ModuleType) -> list[CodeType]:
    """All code of a module, as Python compiles it."""
    source = module.__loader__.get_source(module.__name__)  # type: ignore[union-attr]
    found = [compile(source, str(module.__file__), "exec", dont_inherit=True)]
    for code in found:
        found += [constant for constant in code.co_consts if isinstance(constant, CodeType)]
    return found


def _lines_in(code: CodeType) -> int:
    return len({line for _, _, line in code.co_lines() if line is not None and line != code.co_firstlineno})
