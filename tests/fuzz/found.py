"""What the fuzzer has found, by target: tried again with every run. Each was cured; the comment says what it did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tests.fuzz.engine import Seed

F2 = f"{2:032x}"
FORM, JSON = "application/x-www-form-urlencoded", "application/json"
FOUND: Mapping[str, Sequence[Seed]] = {
    "headers of answers": [
        ("date", b"2222222221 Nov 6 0:0"),  # OverflowError out of every call
        ("retry-after", b"Thu, 01 Jan 1970 00:00:00 +99999999999999"),  # the same
        ("x-hubspot-ratelimit-daily-remaining", b"9" * 5000),  # ValueError: too long for an int
    ],
    "answers by themselves": [
        # The condition of the connection quoted the whole value.
        ("batch", b'{"BatchItemResponse":[{}],"time":{"x":"Zanzibarella"}}'),
    ],
    "configuration": [
        ("", b"[syncs.x]\nstart = 9999-12-31T23:59:59-12:00\n"),  # OverflowError
        ("", b"x = " + b"[" * 5000),  # RecursionError
        ("", b"x = " + b"9" * 5000),  # ValueError that is no TOMLDecodeError
    ],
    "plan files": [
        ("sealed", b'{"schema":1,"":""}'),  # KeyError
        ("sealed", b'{"schema":1,"created_at":1,"expires_at":1.5}'),  # TypeError of the digest
        ("as it is", b'"\xed"'),  # UnicodeDecodeError
        ("as it is", b"[" * 100_000),  # RecursionError
    ],
    "questions to the status": [
        # OverflowError: a moment that no calendar holds in UTC.
        ("GET /api/v1/records?limit=1&cursor=* -", b"WyIwMDAxLTAxLTAxVDAwOjAwOjAwKzE0OjAwIiwiMCJd"),
        (f"POST /api/v1/tokens/late {JSON}", b'{"role":"read","expires":"9999-12-31T23:59:59-12:00"}'),
        (f"POST /api/v1/tokens/late {JSON}", b'{"role":[""]}'),  # TypeError: unhashable
        (f"POST /api/v1/actions/retry {JSON}", b'{"flow":' + b"[" * 60_000),  # RecursionError
        (f"POST /api/v1/actions/retry {JSON};charset=none", b'{"q":"x"}'),  # LookupError
        (f"POST /api/v1/actions/retry {JSON}", b'{"q":"\\ud800"}'),  # UnicodeEncodeError in the database
        (f"POST /api/v1/actions/retry {JSON}", b'{"\\ud800":1}'),  # UnicodeEncodeError in the answer
        (f"POST /records/{F2}/retry {FORM};charset=none", b"s"),  # LookupError
        (f"POST /records/{F2}/retry multipart/form-data;boundary=x", b"--x\nC"),  # InvalidHeader
        # UnicodeEncodeError: the name was quoted on the page.
        (
            f"POST /records/{F2}/retry multipart/form-data;boundary=x",
            b'--x\nContent-Disposition:a;name="\xff"\r\n\r\non\r\n--x--\r',
        ),
        (f"POST /syncs/invoicing/flows/*/pause {FORM}", b"s"),  # UsageError, which nobody turned into an answer
    ],
    "stored rows": [
        # A later release's fields were a TypeError after a way back.
        ("party", b'{"version":"1","presence":"present","noun":{"name":"x","invented_later":{"decimal":"1"}}}'),
        ("record", b'{"fields":{},"lines":[{"id":"1","invented_later":true}]}'),
        ("party", b"{}"),  # KeyError
        ("invoice", b'{"version":"1","presence":"present","noun":{"total":{"decimal":"x"}}}'),  # InvalidOperation
    ],
    "words": [
        ("filter", b"9999-12-31T23-10"),  # OverflowError, also of a vendor's custom field
        ("page", b"76000009357760000093577600"),  # InvalidOperation
    ],
}
