"""What the commands that look print in a terminal: the answer first, colour only where a status says something.

Piped, the same commands print plain aligned columns (`cli_output`); with `NO_COLOR` set there is no colour here either.
Imported by whoever prints to a terminal, and by nobody else: rich is slow to load.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from syncd.cli_output import clean
from syncd.core import catalogue
from syncd.status.phrases import said
from syncd.status.words import words

Told = Mapping[str, Any]

STYLES = {
    "synced": "green",
    "pending": "yellow",
    "failed": "bold red",
    "excluded": "bright_black",
    "ok": "green",
    "warning": "yellow",
    "error": "bold red",
    "create": "green",
    "update": "yellow",
    "void": "red",
    "delete": "red",
}
MARKS = {"synced": "✓", "ok": "✓", "pending": "…", "warning": "!", "failed": "✗", "error": "✗", "excluded": "–"}
QUIET = "bright_black"
STATUSES = ("synced", "pending", "failed", "excluded")
_SAID = words("en")
_PLAN_SHOWN = 20


def status(shown: Told) -> None:
    """One line that says how it is; then counts, what needs a person, and the connections."""
    flows = [(sync, flow) for sync in shown["syncs"] for flow in sync["flows"]]
    totals = {name: sum(flow[name] for _, flow in flows) for name in STATUSES}
    trouble = [one for one in shown["connections"] if one["state"] not in ("ok", "new")]
    _print(_verdict(totals, len(trouble)))
    for sync in shown["syncs"]:
        fresh = ago(sync["last_success"], shown["as_of"]) if sync["last_success"] else "not yet"
        heading = f"{sync['left']} ⇄ {sync['right']} · {_SAID.get(sync['state'], sync['state'])} · last success {fresh}"
        _print(Text.assemble("\n", (sync["name"], "bold"), "  ", (heading, QUIET)))
        table = _table("flow", "direction", *(f">{name}" for name in STATUSES), "")
        for flow in sync["flows"]:
            table.add_row(flow["name"], _way(sync, flow), *(_count(name, flow[name]) for name in STATUSES), _told(flow))
        _print(table)
    _codes("What needs a person", _ranked(flows, "categories"), "failed", _ends(shown))
    _codes("What is being waited for", _ranked(flows, "waiting"), "pending")
    left_out = ", ".join(f"{_title(code).lower()} {n:,}" for code, n in _ranked(flows, "reasons"))
    _print(Text.assemble("\n", ("Left out: ", "bold"), (left_out, QUIET)) if left_out else None)
    _print(Text("\nConnections", style="bold"))
    table = _table("", "", "", "")
    for one in shown["connections"]:
        left = f"{one['quota']['remaining']:,} of {one['quota']['limit']:,} calls left" if one["quota"] else ""
        table.add_row(_marked(one["name"], _health(one)), _condition(one), clean(one["account"]), Text(left, QUIET))
    _print(table)
    for sync, flow in flows:
        for held in flow["held"]:
            _print(Text.assemble("\n", (f"! {flow['name']}: {held['title']}. ", "bold yellow"), held["figures"]))
            _print(Text(f"  syncd release {sync['name']} {flow['name']} --breaker {held['breaker']}", style="cyan"))
    low = ["the disk is nearly full: nothing is polled, taken in or sent until there is room again"]
    for line in [*(low if shown["storage"]["state"] == "low" else ()), *shown["daemon"]["told"]]:
        _print(Text(f"\n! {clean(line)}", style="bold yellow"))
    for line in shown["daemon"]["problems"]:
        _print(Text(f"  {clean(line)}"))


def records(page: Told) -> None:
    """A line each, and below what to do about each reason, once."""
    table = _table("", "record", "flow", "why", "since")
    cures: dict[str, str] = {}
    for one in page["records"]:
        detail = f" · {clean(said(one['words'], 'en'))}" if one["words"] else ""
        why = Text.assemble(one["title"], (detail, QUIET))
        mark = Text(MARKS[one["status"]], style=STYLES[one["status"]])
        table.add_row(mark, _name(one), one["flow"], why, Text(_moment(one["since"]), QUIET))
        if one["status"] == "failed":
            cures[one["title"]] = one["remedy"]
    _print(table if page["records"] else Text("No record is like that."))
    if cures:
        _print(Text("\nWhat to do", style="bold"))
    for title, cure in cures.items():
        _print(Padding(Text.assemble((title, "red"), "  ", cure), (0, 0, 0, 2)))
    if page.get("next"):
        _print(Text(f"\nmore: --cursor {page['next']}", style=QUIET))


def record(shown: Told, next_step: str = "") -> None:
    """Where it stands and what to do; then both sides, marked where they differ or have moved."""
    head = (f"{MARKS[shown['status']]} {shown['status']}", STYLES[shown["status"]])
    _print(Text.assemble((_name(shown), "bold"), "  ", head, (f"  {shown['flow']} of {shown['sync']}", QUIET)))
    if shown["title"]:
        _print(Text(f"\n{shown['title']}. {shown['explanation']}"))
    details = {
        "detail": said(shown["words"], "en"),
        "to do": next_step or shown["remedy"],
        "notes": ", ".join(note["title"] for note in shown["notes"]),
    }
    _pairs((name, clean(text)) for name, text in details.items() if text)
    for side in ("left", "right"):
        end = shown[side]
        _print(
            Text.assemble((f"  {end['label']}: ", QUIET), clean(end["id"] or "not there yet"), f"  {end['url'] or ''}")
        )
    _print(Text(f"  since {_moment(shown['since'])} · {shown['id']}\n", style=QUIET))
    _print(_sides(shown))
    for side in ("left", "right"):
        if lines := shown["lines"][side]["now"]:
            _print(Text(f"\n{shown[side]['label']}, lines", style="bold"))
            _print(_lines(lines, _labels(shown, side)))


def activity(entries: Iterable[Told]) -> None:
    """What happened, newest first."""
    table = _table("", "", "", "", "")
    for one in entries:
        title = _title(one["code"]) if one["code"] else ""
        changes = (f"{c['field']}: {c['old'] or '–'} → {c['new'] or '–'}" for c in one["changes"])
        what = _SAID.get(f"op.{one['words']}") or said(one["words"], "en")
        told = "; ".join(text for text in (title, what, *changes) if text)
        trace = f"  {one['request_id']}" if one["request_id"] else ""
        event = _SAID.get(f"event.{one['event']}") or _SAID.get(one["event"], one["event"])
        table.add_row(
            Text(_moment(one["at"]), QUIET),
            event,
            one["side"] or "",
            one["by"],
            Text.assemble(clean(told), (trace, QUIET)),
        )
    _print(Text("\nWhat happened", style="bold"))
    _print(table)


def explanation(shown: Told) -> None:
    """The record, the rules that hold for it, and the last of its account."""
    record(shown["record"], shown["next"])
    rules, fixed = shown["rules"], shown["filters"]["fixed"]
    _print(Text("\nRules", style="bold"))
    matched = f"{', '.join(shown['match']['by']) or 'nothing'}, key {clean(shown['match']['key']) or 'none'}"
    told = {
        "decided by": rules["used"],
        "direction": rules["direction"],
        "conflict": rules["conflict"],
        "matched by": matched,
        **{f"filters, {side}": ", ".join(tests) or "none" for side, tests in fixed.items()},
        **{f"your filter, {side}": clean(text) for side, text in shown["filters"]["free"].items() if text},
    }
    _pairs(told.items())
    activity(shown["last"])


def plan(made: Told) -> None:
    """What would be written, in figures, then the first writes, then what stands in the way."""
    entries = made["entries"]
    counts = Counter(entry["op"] for entry in entries)
    figures = [(f"{n:,} to {op}  ", STYLES[op]) for op, n in counts.items()] or [("Nothing to write.", "green")]
    failed = f"{len(made['failed']):,} cannot be written" if made["failed"] else ""
    _print(Text.assemble(*figures, (failed, "bold red")))
    for sync in made["syncs"]:
        _print(Text.assemble("\n", (sync["name"], "bold"), (f"  {sync['left']} ⇄ {sync['right']}", QUIET)))
        table = _table("flow", ">create", ">update", ">void", ">delete", ">link", ">failed", ">excluded")
        for flow in sync["flows"]:
            numbers = [_count(op, flow[op]) for op in ("create", "update", "void", "delete")]
            out = [_count(name, sum(flow[name].values())) for name in ("failed", "excluded")]
            table.add_row(flow["name"], *numbers, _count("linked", flow["linked"]), *out)
        _print(table)
    if entries:
        table = _table("", "flow", "record", "to", "what")
        for entry in entries[:_PLAN_SHOWN]:
            table.add_row(
                Text(entry["op"], style=STYLES[entry["op"]]),
                entry["flow"],
                clean(entry["label"]),
                entry["connection"],
                Text(_written(entry), QUIET),
            )
        _print(Text("\nWrites", style="bold"), table)
    if len(entries) > _PLAN_SHOWN:
        _print(Text(f"  and {len(entries) - _PLAN_SHOWN:,} more; --out or --json has all of them", style=QUIET))
    codes = Counter(one["code"] for one in made["failed"])
    _codes("What stands in the way", codes.most_common(), "failed", _ends(made))
    _print(Text("\nCost", style="bold"))
    spent = ((one["name"], f"{one['calls']:,} calls, {_minutes(one['seconds'])}") for one in made["connections"])
    _pairs(spent)
    for line in made["warnings"]:
        _print(Text(f"\n! {clean(line)}", style="bold yellow"))


def findings(found: Iterable[Told]) -> None:
    """What is wrong first, each with its cure; then what is as it should be."""
    order = {"error": 0, "warning": 1}
    rows = sorted(found, key=lambda one: order.get(one["severity"], 2))
    counts = Counter(one["severity"] for one in rows)
    said_first = [
        (f"{counts[name]} {name}{'s' * (counts[name] > 1)}  ", STYLES[name]) for name in order if counts[name]
    ]
    _print(Text.assemble(*(said_first or [("Everything is as it should be", "bold green")])), Text())
    for one in rows:
        style = STYLES.get(one["severity"], "")
        _print(Text.assemble((f"{MARKS.get(one['severity'], '·')} ", style), clean(one["title"])))
        if one["cure"]:
            _print(Padding(Text(clean(one["cure"]), style="cyan"), (0, 0, 0, 2)))


def ago(moment: str, now: str) -> str:
    """How long ago, in the largest unit that says something."""
    seconds = max(0, round((datetime.fromisoformat(now) - datetime.fromisoformat(moment)).total_seconds()))
    for size, unit in ((86_400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= size:
            n = seconds // size
            return f"{n} {unit}{'s' if n > 1 else ''} ago"
    return "just now"


def _verdict(totals: Mapping[str, int], trouble: int) -> Text:
    rest = f"  {totals['synced']:,} synced, {totals['pending']:,} pending, {totals['excluded']:,} excluded"
    if failed := totals["failed"]:
        first = (f"✗ {failed:,} record{'s need' if failed > 1 else ' needs'} a person", "bold red")
    elif trouble:
        first = ("! A connection is in trouble", "bold yellow")
    else:
        first = (
            ("✓ Everything is in step", "bold green") if sum(totals.values()) else ("Nothing has been synced yet", "")
        )
    return Text.assemble(first, (rest, QUIET))


def _ranked(flows: Iterable[tuple[Told, Told]], group: str) -> list[tuple[str, int]]:
    counts: Counter[str] = Counter()
    for _, flow in flows:
        counts.update(flow[group])
    return counts.most_common()


def _ends(shown: Told) -> tuple[str, str]:
    """What remedies call the two sides: by name where there is one sync."""
    named = {(sync["left"], sync["right"]) for sync in shown["syncs"]}
    return named.pop() if len(named) == 1 else ("the left side", "the right side")


def _codes(heading: str, rows: Sequence[tuple[str, int]], style: str, ends: tuple[str, str] | None = None) -> None:
    """Codes with how many records have them; with `ends` what to do, too."""
    if not rows:
        return
    _print(Text(f"\n{heading}", style="bold"))
    table = _table(">", "", "")
    for code, n in rows:
        cure = catalogue.text(code, "en", left=ends[0], right=ends[1]).remedy if ends else ""
        title = Text.assemble(_title(code), (f"\n{code}", QUIET))
        table.add_row(Text(f"{n:,}", STYLES[style]), title, Text(cure, QUIET))
    _print(table)


def _sides(shown: Told) -> Table:
    table = _table("", "", shown["left"]["connection"], shown["right"]["connection"])
    both = shown["left"]["id"] and shown["right"]["id"]
    labels = {side: _labels(shown, side) for side in ("left", "right")}
    for field in shown["fields"]:
        left, right = field["left"], field["right"]
        if all(value is None for side in (left, right) for value in side.values()):
            continue
        apart = both and field["type"] != "reference" and left["now"] != right["now"]
        mark = Text("≠" if apart else "", style="bold red")
        table.add_row(
            mark, Text(_field(field["name"]), QUIET), _moved(left, labels["left"]), _moved(right, labels["right"])
        )
    for field in shown["computed"]:
        table.add_row("", Text(_field(field["name"]), QUIET), *(clean(field[side]) for side in ("left", "right")))
    return table


def _moved(side: Told, labels: Mapping[str, str]) -> Text:
    """What a side holds; what it held at the last success too, where that was something else."""
    now, base = (labels.get(side[when]) or clean(side[when]) for when in ("now", "base"))
    if side["base"] is None or side["base"] == side["now"]:
        return Text(now)
    return Text.assemble((base, "strike bright_black"), " ", (now or "–", "yellow"))


def _labels(shown: Told, side: str) -> dict[str, str]:
    """What the entities a side refers to are called, by their ids there."""
    return {one["id"]: clean(one["label"]) for one in shown["others"] if one["side"] == side}


def _lines(lines: Sequence[Told], labels: Mapping[str, str]) -> Table:
    table = _table("", ">quantity", ">unit price", ">amount")
    for line in lines:
        product = line.get("product", "")
        name = labels.get(product) or line.get("name") or line.get("description") or line.get("sku") or product
        table.add_row(clean(name), *(clean(line.get(part)) for part in ("quantity", "unit_price", "amount")))
    return table


def _written(entry: Told) -> str:
    lines = [] if entry["lines"] is None else [f"{entry['lines']} lines"]
    if entry["op"] == "create":
        return clean(", ".join([*(str(one["new"]) for one in entry["fields"] if one["new"]), *lines]))
    changes = (f"{_field(one['field'])}: {one['old'] or '–'} → {one['new'] or '–'}" for one in entry["fields"])
    return clean("; ".join([*changes, *lines]))


def _pairs(rows: Iterable[tuple[str, str]]) -> None:
    table = _table("", "")
    for name, text in rows:
        table.add_row(Text(name, QUIET), text)
    _print(table)


def _table(*columns: str) -> Table:
    """Columns without lines; a name that begins with `>` stands right."""
    table = Table(
        box=None, show_header=any(name.strip(">") for name in columns), header_style=QUIET, padding=(0, 2, 0, 0)
    )
    table.padding = (0, 2, 0, 0)
    for name in columns:
        table.add_column(name.strip(">"), justify="right" if name.startswith(">") else "left", overflow="fold")
    return table


def _count(name: str, n: int) -> Text:
    return Text(f"{n:,}", style=STYLES.get(name, "") if n else QUIET)


def _told(flow: Told) -> Text:
    return Text(flow["state"] if flow["state"] in ("paused", "released", "off") else "", style="bold yellow")


def _way(sync: Told, flow: Told) -> Text:
    return Text(_SAID[flow["direction"]].format(left=sync["left"], right=sync["right"]), style=QUIET)


def _health(connection: Told) -> str:
    return {"ok": "ok", "new": "pending"}.get(connection["state"], "error")


def _condition(connection: Told) -> Text:
    state = connection["state"]
    title = _SAID.get(state) or _title(state)
    since = f" since {_moment(connection['since'])}" if connection["since"] and state not in ("ok", "new") else ""
    return Text(title + since, style=STYLES[_health(connection)])


def _marked(name: str, state: str) -> Text:
    return Text.assemble((f"{MARKS[state]} ", STYLES[state]), name)


def _title(code: str) -> str:
    return catalogue.text(code, "en", left="left", right="right").title if code in catalogue.CATALOGUE else code


def _field(name: str) -> str:
    return _SAID.get(f"field.{name}", name.replace("_", " "))


def _name(shown: Told) -> str:
    return clean(shown["label"] or shown["key"] or shown["id"])


def _moment(text: str) -> str:
    """Local time, to the minute."""
    return datetime.fromisoformat(text).astimezone().strftime("%Y-%m-%d %H:%M")


def _minutes(seconds: int) -> str:
    return "less than a minute" if seconds < 60 else f"{-(-seconds // 60)} minutes at the vendor's limits"


def _print(*shown: RenderableType | None) -> None:
    console = Console(highlight=False)
    for one in shown:
        if one is not None:
            console.print(one)
