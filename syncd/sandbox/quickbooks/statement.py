"""The query language: text to a parsed statement.

`SELECT * | count(*) | fields FROM Kind [WHERE field op value [AND ...]] [ORDERBY field [ASC|DESC], ...]
[STARTPOSITION n] [MAXRESULTS n]`. One kind, no OR, no parentheses but after IN (Intuit, "Query operations").
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from syncd.sandbox.quickbooks.errors import Fault

TOKEN = re.compile(
    r"""\s*(?:
        '(?P<text>(?:\\.|[^'\\])*)'
      | (?P<operator><=|>=|=|<|>)
      | (?P<mark>[(),*])
      | (?P<word>[A-Za-z0-9_.:+-]+)
    )""",
    re.VERBOSE | re.DOTALL,
)
OPERATORS = ("=", "<", ">", "<=", ">=", "IN", "LIKE")


@dataclass(frozen=True, slots=True)
class Token:
    """One word, mark or operator; `quoted` for a text in single quotes."""

    text: str
    column: int
    quoted: bool = False


@dataclass(frozen=True, slots=True)
class Condition:
    """One comparison; `IN` has several values, all others one."""

    field: str
    operator: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Statement:
    """A parsed statement. `fields` empty and `count` false: everything."""

    kind: str
    fields: tuple[str, ...] = ()
    count: bool = False
    conditions: tuple[Condition, ...] = ()
    order: tuple[tuple[str, bool], ...] = ()  # field, descending
    start: int = 1
    most: int = 100


def parsed(text: str) -> Statement:
    """Parse a statement.

    Raises:
        Fault: 4000 for what cannot be parsed.
    """
    return _Parser(_tokens(text)).statement()


def _tokens(text: str) -> list[Token]:
    tokens, at = [], 0
    end = len(text.rstrip())
    while at < end:
        match = TOKEN.match(text, at)
        if match is None:
            raise _unparsable(text[at:].strip()[:1], at + 1)
        quoted = match["text"] is not None
        word = re.sub(r"\\(.)", r"\1", match["text"], flags=re.DOTALL) if quoted else match.group().strip()
        tokens.append(Token(word, match.start() + 1, quoted))
        at = match.end()
    return tokens


def _unparsable(word: str, column: int) -> Fault:
    return Fault("4000", f'QueryParserError: Encountered " <IDENTIFIER> "{word} "" at line 1, column {column}.')


class _Parser:
    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._at = 0

    def statement(self) -> Statement:
        self._expect("SELECT")
        fields, count = self._selection()
        self._expect("FROM")
        kind = self._next().text
        conditions = self._conditions() if self._take("WHERE") else ()
        order = self._order() if self._take("ORDERBY") or self._order_by() else ()
        start, most = 1, 100
        if self._take("STARTPOSITION"):
            start = self._number()
        if self._take("MAXRESULTS"):
            most = self._number()
        if self._at < len(self._tokens):
            raise self._wrong()
        return Statement(kind, fields, count, conditions, order, start, most)

    def _selection(self) -> tuple[tuple[str, ...], bool]:
        if self._take("COUNT"):
            for mark in "(*)":
                self._expect(mark)
            return (), True
        fields = [self._next().text]
        while self._take(","):
            fields.append(self._next().text)
        return (() if fields == ["*"] else tuple(fields)), False

    def _conditions(self) -> tuple[Condition, ...]:
        conditions = [self._condition()]
        while self._take("AND"):
            conditions.append(self._condition())
        return tuple(conditions)

    def _condition(self) -> Condition:
        field = self._next().text
        operator = self._next()
        if operator.quoted or operator.text.upper() not in OPERATORS:
            raise _unparsable(operator.text, operator.column)
        if operator.text.upper() != "IN":
            return Condition(field, operator.text.upper(), (self._value(),))
        self._expect("(")
        values = [self._value()]
        while self._take(","):
            values.append(self._value())
        self._expect(")")
        return Condition(field, "IN", tuple(values))

    def _order_by(self) -> bool:
        if not self._take("ORDER"):
            return False
        self._expect("BY")
        return True

    def _order(self) -> tuple[tuple[str, bool], ...]:
        order = []
        while True:
            field = self._next().text
            descending = self._take("DESC")
            if not descending:
                self._take("ASC")
            order.append((field, descending))
            if not self._take(","):
                return tuple(order)

    def _value(self) -> str:
        token = self._next()
        if not token.quoted and token.text in ("(", ")", ",", "*", *OPERATORS):
            raise _unparsable(token.text, token.column)
        return token.text

    def _number(self) -> int:
        token = self._next()
        if not re.fullmatch(r"[0-9]{1,9}", token.text):
            raise _unparsable(token.text, token.column)
        return int(token.text)

    def _next(self) -> Token:
        if self._at >= len(self._tokens):
            raise Fault("4000", 'QueryParserError: Encountered "<EOF>".')
        self._at += 1
        return self._tokens[self._at - 1]

    def _take(self, word: str) -> bool:
        here = self._tokens[self._at] if self._at < len(self._tokens) else None
        if here is None or here.quoted or here.text.upper() != word:
            return False
        self._at += 1
        return True

    def _expect(self, word: str) -> None:
        if not self._take(word):
            if self._at >= len(self._tokens):
                raise Fault("4000", 'QueryParserError: Encountered "<EOF>".')
            raise self._wrong()

    def _wrong(self) -> Fault:
        token = self._tokens[self._at]
        return _unparsable(token.text, token.column)
