"""What the commands print: tables with lines and colours in a terminal, plain aligned columns when piped.

Texts come from vendors and customers; control characters in them must not reach a terminal.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
_STYLES = {
    "synced": "green",
    "ok": "green",
    "pending": "yellow",
    "warning": "yellow",
    "failed": "red",
    "error": "red",
    "excluded": "dim",
}


def clean(value: object) -> str:
    """A value on one line without anything that a terminal would obey; nothing for None."""
    return "" if value is None else _CONTROL.sub(" ", str(value))


def print_json(value: object) -> None:
    """One JSON document on stdout."""
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(value), indent=2).decode() + "\n")


def in_terminal() -> bool:
    """Whether a person reads what is printed; a program gets plain columns."""
    return sys.stdout.isatty()


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]], title: str = "") -> None:
    """A table; numbers stand right."""
    cells = [[clean(value) for value in row] for row in rows]
    right = [all(row[i].isdigit() for row in cells) and bool(cells) for i in range(len(columns))]
    if in_terminal():
        _print_rich(columns, cells, right, title)
    else:
        _print_plain(columns, cells, right, title)


def print_lines(*lines: str) -> None:
    """Plain text lines; whatever they quote must be clean."""
    sys.stdout.write("".join(line + "\n" for line in lines))


def print_status(status: Mapping[str, Any]) -> None:
    """The overview: counts per flow, then the connections."""
    if in_terminal():
        from syncd import cli_terminal

        cli_terminal.status(status)
        return
    for sync in status["syncs"]:
        rows = [
            [flow[name] for name in ("name", "direction", "synced", "pending", "failed", "excluded")] + [_codes(flow)]
            for flow in sync["flows"]
        ]
        title = f"{sync['name']}: {sync['left']} <-> {sync['right']}, {sync['state']}"
        print_table(
            ("flow", "direction", "synced", "pending", "failed", "excluded", "why"),
            rows,
            f"{title}, last success {sync['last_success'] or 'not yet'}",
        )
        for flow in sync["flows"]:
            if flow["state"] == "paused":
                print_lines(f"paused: {flow['name']}", f"  to go on: syncd resume {sync['name']} {flow['name']}")
            for one in flow["held"]:
                print_lines(
                    f"held: {flow['name']}, {one['title']}: {one['figures']}",
                    f"  to let it go: syncd release {sync['name']} {flow['name']} --breaker {one['breaker']}",
                )
    names = ("vendor", "account", "state", "since")
    print_table(
        ("connection", *names), [[one["name"], *(one[name] for name in names)] for one in status["connections"]]
    )
    if status["storage"]["state"] == "low":
        print_lines("the disk is nearly full: nothing is polled, taken in or sent until there is room again")
    print_lines(*status["daemon"]["told"], *status["daemon"]["problems"])


def print_records(page: Mapping[str, Any]) -> None:
    """A list of records, and how to get the following page."""
    if in_terminal():
        from syncd import cli_terminal

        cli_terminal.records(page)
        return
    rows = [
        [one["label"] or one["key"], one["flow"], one["status"], one["title"], one["words"], one["remedy"], one["id"]]
        for one in page["records"]
    ]
    print_table(("record", "flow", "status", "why", "vendor's words", "what to do", "id"), rows)
    if page.get("next"):
        print_lines(f"more: --cursor {page['next']}")


def print_record(record: Mapping[str, Any], next_step: str = "") -> None:
    """One record: where it stands, and both sides field by field."""
    if in_terminal():
        from syncd import cli_terminal

        cli_terminal.record(record, next_step)
        return
    print_lines(
        f"{clean(record['label'] or record['key'])}  {record['flow']} of {record['sync']}  {record['status']}",
        *(f"{name}: {clean(text)}" for name, text in _standing(record, next_step) if text),
    )
    sides = [record[side] for side in ("left", "right")]
    columns = ["field", *(f"{end['connection']} {when}" for end in sides for when in ("at last success", "now"))]
    fields = [[field["name"], *_values(field)] for field in record["fields"]]
    print_table(columns, fields)
    for side, end in zip(("left", "right"), sides, strict=True):
        if lines := record["lines"][side]["now"]:
            names = ("name", "description", "quantity", "unit_price", "amount")
            print_table(names, [[line.get(name) for name in names] for line in lines], f"lines, {end['connection']}")


def print_activity(entries: Iterable[Mapping[str, Any]]) -> None:
    """A record's account, newest first."""
    if in_terminal():
        from syncd import cli_terminal

        cli_terminal.activity(entries)
        return
    rows = [
        [entry["at"], entry["event"], entry["by"], entry["side"], entry["code"], _told(entry), entry["request_id"]]
        for entry in entries
    ]
    print_table(("time", "what", "by", "side", "code", "details", "trace id"), rows, "activity")


def print_explanation(shown: Mapping[str, Any]) -> None:
    """Why a record stands where it stands: itself, the rules that hold for it, and the last of its account."""
    if in_terminal():
        from syncd import cli_terminal

        cli_terminal.explanation(shown)
        return
    rules, fixed = shown["rules"], shown["filters"]["fixed"]
    filters = "; ".join(f"{side}: {', '.join(tests) or 'none'}" for side, tests in fixed.items())
    print_record(shown["record"], shown["next"])
    print_lines(
        f"matched by: {', '.join(shown['match']['by']) or 'nothing'}, key: {clean(shown['match']['key']) or 'none'}",
        f"direction: {rules['direction']}, conflict: {rules['conflict']}, decided by: {rules['used']}",
        f"fixed filters: {filters}",
        *(f"filter, {side}: {clean(text)}" for side, text in shown["filters"]["free"].items() if text),
        "",
    )
    print_activity(shown["last"])
    if shown["calls"]:
        rows = [[one["at"], one["event"], one["side"], one["request_id"]] for one in shown["calls"]]
        print_table(("time", "what", "side", "trace id"), rows, "last calls")


def print_findings(findings: Iterable[Mapping[str, Any]]) -> None:
    """What `check` found, each with its cure."""
    if in_terminal():
        from syncd import cli_terminal

        cli_terminal.findings(findings)
        return
    print_table(("", "found", "cure"), [[one["severity"], one["title"], one["cure"]] for one in findings])


def print_mappings(rows: Sequence[Mapping[str, Any]]) -> None:
    """A table for each flow."""
    for sync, flow in dict.fromkeys((row["sync"], row["flow"]) for row in rows):
        mine = [row for row in rows if (row["sync"], row["flow"]) == (sync, flow)]
        columns = (f"left ({mine[0]['left_connection']})", f"right ({mine[0]['right_connection']})")
        print_table(
            (*columns, "direction", "group", "on", "from", "details"),
            [
                [row[name] for name in ("left", "right", "direction", "group")]
                + ["on" if row["enabled"] else "off", row["origin"], _mapping_details(row)]
                for row in mine
            ],
            f"{sync}, {flow}: {mine[0]['flow_direction']}",
        )


def _mapping_details(row: Mapping[str, Any]) -> str:
    parts = [f"fixed: {row['fixed']}"] if row["fixed"] else []
    parts += [f"constant: {row['constant']}"] if row["constant"] is not None else []
    parts += [f"{left} = {right}" for left, right in row["values"].items()]
    parts += [f"on with the option {row['option']}"] if row["option"] and not row["enabled"] else []
    return "; ".join([*parts, "at creation only"] if row["on_create"] else parts)


def print_remap(told: Mapping[str, Any]) -> None:
    """What changed mappings would write, or that it is under way."""
    rows = [
        [one["label"], one["flow"], change["side"], change["field"], change["old"], change["new"]]
        for one in told["records"]
        for change in one["changes"]
    ]
    rows += [
        [one["label"], one["flow"], "", problem["field"], "", problem["words"]]
        for one in told["records"]
        for problem in one["problems"]
    ]
    if rows:
        print_table(("record", "flow", "written to", "mapping", "now", "then"), rows)
    counted = ", ".join(f"{flow} {n}" for flow, n in told["flows"].items()) or "nothing"
    if told["carried_out"]:
        print_lines(f"due for their new mappings: {counted}")
    else:
        print_lines(f"would change: {counted}" + ("; to have it done: syncd remap --yes" if rows else ""))


def print_proof(told: Mapping[str, Any]) -> None:
    """Where both sides differ, why, and by how much."""
    for proof in told["proofs"]:
        left, right = proof["left"], proof["right"]
        differing = proof["documents"] - proof["equal"]
        print_lines(
            f"{proof['sync']} {proof['flow']}: {proof['documents']} documents, {differing} differ, "
            f"{proof['unexplained']} differences are unexplained"
        )
        rows = [
            [
                one["label"],
                _names(one),
                _amount(one["left"], one),
                _amount(one["right"], one),
                one["cause"],
                one["words"],
            ]
            for one in proof["differences"]
        ]
        if rows:
            print_table(("document", "differs in", left, right, "why", "details"), rows)
        totals = [
            [one["customer"], one["month"], one["currency"], _sums(one["left"]), _sums(one["right"]), _explained(one)]
            for one in proof["controls"]
        ]
        if totals:
            print_table(("customer", "month", "currency", left, right, "why"), totals, "control totals that differ")


def print_erased(told: Mapping[str, Any]) -> None:
    """Who is meant, and what became of it."""
    people = ", ".join(f"{one['connection']} {clean(one['id'])}" for one in told["people"])
    match told["state"]:
        case "preview":
            print_lines(
                f"would be erased here: {people}",
                "their record stays, excluded, so that nothing is made again; erase them at the vendors as well",
                "this cannot be undone; to do it: the same with --yes",
            )
        case "asked":
            print_lines(
                f"the daemon erases, once no request about them is out: {people}; files are rewritten within the hour"
            )
        case _:
            print_lines(
                f"erased: {people}",
                f"{told['records']} records, {told['entities']} copies, {told['mentions']} mentions elsewhere; "
                f"{told['copies']} copies of the state made before migrations are deleted",
                "backups and plans made before still hold their data: delete those too",
            )


def _names(one: Mapping[str, Any]) -> str:
    return ", ".join(one["fields"])


def _amount(side: Mapping[str, str] | None, one: Mapping[str, Any]) -> str:
    if side is None:
        return "not there"
    return ", ".join(side[name] for name in one["fields"] if name in side) or f"{side['total']} {side['currency']}"


def _explained(one: Mapping[str, Any]) -> str:
    return "explained" if one["explained"] else "unexplained"


def _sums(side: Mapping[str, Any]) -> str:
    return f"{side['documents']} of {side['total']}, open {side['balance']}"


def print_tokens(told: Mapping[str, Any]) -> None:
    """Access tokens, without what they are."""
    columns = ("name", "role", "accepted", "made", "expires", "revoked")
    rows = [
        [one["name"], one["role"], "yes" if one["valid"] else "no", one["created_at"]]
        + [one[name] or "" for name in ("expires_at", "revoked_at")]
        for one in told["tokens"]
    ]
    print_table(columns, rows)


def print_connected(told: Mapping[str, Any]) -> None:
    """Which account was connected, whether it can be used, and which flows go on."""
    known = f"{clean(told['account_name'])}, " if told["account_name"] else ""
    print_lines(f"{told['connection']} is connected: {known}account {clean(told['account'])}")
    if told["state"] != "ok":
        print_lines(f"but it cannot be used yet: {told['state']}: {clean(told['words'])}")
    print_lines(*(f"resumed: {flow}" for flow in told["flows"]))


def print_disconnected(told: Mapping[str, Any]) -> None:
    """Which flows wait until the connection is connected again."""
    print_lines(f"{told['connection']} is disconnected: its consent is withdrawn and its tokens are erased")
    print_lines(*(f"paused: {flow}" for flow in told["flows"]), f"to go on: syncd connect {told['connection']}")


@contextmanager
def progress(words: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on stderr in a terminal, nothing elsewhere. Called with how many are done and how many are known."""
    if not sys.stderr.isatty():
        yield lambda done, total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn(words), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(words, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _codes(flow: Mapping[str, Any]) -> str:
    groups = (flow["categories"], flow["waiting"], flow["reasons"], flow["notes"])
    return ", ".join(f"{code} {n}" for group in groups for code, n in group.items())


def _standing(record: Mapping[str, Any], next_step: str) -> Iterable[tuple[str, str]]:
    yield "why", f"{record['title']}. {record['explanation']}" if record["title"] else ""
    yield "vendor's words", record["words"]
    yield "what to do", record["remedy"]
    yield "notes", ", ".join(note["title"] for note in record["notes"])
    yield "next", next_step
    for side in ("left", "right"):
        yield side, f"{record[side]['label']} {record[side]['id'] or 'not there yet'}"
    yield "since", record["since"]
    yield "id", record["id"]


def _values(field: Mapping[str, Any]) -> list[object]:
    return [field[side][when] for side in ("left", "right") for when in ("base", "now")]


def _told(entry: Mapping[str, Any]) -> str:
    changes = (f"{one['field']}: {one['old'] or '-'} -> {one['new'] or '-'}" for one in entry["changes"])
    return "; ".join(text for text in (entry["words"], *changes) if text)


def _print_plain(columns: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[bool], title: str) -> None:
    widths = [max(map(len, column)) for column in zip(columns, *rows, strict=True)]
    if title:
        print_lines(clean(title))
    for row in (columns, *rows):
        padded = (
            cell.rjust(width) if number else cell.ljust(width)
            for cell, width, number in zip(row, widths, right, strict=True)
        )
        print_lines("  ".join(padded).rstrip())
    print_lines("")


def _print_rich(columns: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[bool], title: str) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(title=Text(clean(title)) if title else None, box=SIMPLE_HEAD, title_justify="left")
    for column, number in zip(columns, right, strict=True):
        table.add_column(Text(column), justify="right" if number else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell, style=_STYLES.get(cell, "")) for cell in row))
    Console().print(table)
