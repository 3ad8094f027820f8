"""The complaints, one scenario each: what people have met elsewhere, and how it would show here.

A scenario makes what it needs, so that it depends on no other one, and judges by what the vendors hold and by their
journals. Its number is that of the complaint in the list this program was designed by.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

from syncd import cli_client
from syncd.gauntlet.stage import Broken, Stage, cents, hold

OUT, IN = "left-to-right", "right-to-left"
INVOICES_OUT, INVOICES_IN = ("invoices", OUT), ("invoices", IN)
PAYMENTS_OUT, PAYMENTS_IN = ("payments", OUT), ("payments", IN)
CONTACTS_IN = ("contacts", IN)

Play = Callable[[Stage], Awaitable[None]]
TOKENS = "/oauth2/v1/tokens/bearer"
BATCH = {"method": "POST", "path": r"/v3/company/\d+/batch"}


@dataclass(frozen=True, slots=True)
class Scenario:
    """One complaint.

    Attributes:
        needs: directions that flows must be open in.
        absent: why it cannot be played yet; then there is no `play`.
    """

    number: int
    name: str
    complaint: str
    play: Play | None = None
    needs: tuple[tuple[str, str], ...] = ()
    absent: str = ""


async def repeated_passes(s: Stage) -> None:
    pair = await s.sold()
    await s.quiet()
    hold(len(await s.booked(DocNumber=pair.books["DocNumber"])) == 1, "the invoice stands there more than once")


async def lost_answer_to_a_create(s: Stage) -> None:
    contact = await s.contact()
    await s.house.control.arm("quickbooks", "timeout_after_commit", {**BATCH, "contains": '"Invoice"'}, times=1)
    id = await s.sell(contact, price="73")
    await s.once()
    pair = await s.synced(id)
    same = await s.booked(DocNumber=pair.books["DocNumber"])
    hold(len(same) == 1, f"{len(same)} invoices after one lost answer")


async def payment_sent_again(s: Stage) -> None:
    await _one_payment(s, "timeout_after_commit")


async def payment_that_hangs(s: Stage) -> None:
    await _one_payment(s, "late_commit")


async def _one_payment(s: Stage, fault: str) -> None:
    pair = await s.sold(price="90")
    await s.house.control.arm("quickbooks", fault, {**BATCH, "contains": '"Payment"'}, times=1)
    await s.house.crm("pay", "invoices", pair.crm["id"], amount="50.00")
    await s.once(wait=3600)
    await s.once()
    paid = await s.payments_of(pair.books["Id"])
    hold(len(paid) == 1, f"{len(paid)} payments where one was made")
    pair = await s.synced(pair.books["Id"])
    hold(cents(pair.books["Balance"]) == 40, f"the balance is {pair.books['Balance']}, not 40")


async def search_that_lags(s: Stage) -> None:
    await s.house.control.settings("hubspot", index_lag=30)
    customer = await s.customer()
    await s.bill(customer["Id"])
    await s.once(wait=5)
    await s.bill(customer["Id"])
    await s.once()
    found = await s.contacts_with(customer["PrimaryEmailAddr"]["Address"])
    hold(len(found) == 1, f"{len(found)} contacts with one address")


async def existing_records_met_by_default(s: Stage) -> None:
    customer = await s.customer()
    address = customer["PrimaryEmailAddr"]["Address"]
    contact = await s.contact(email=address.upper())
    id = await s.sell(contact)
    await s.once()
    pair = await s.synced(id)
    hold(pair.books["CustomerRef"]["value"] == customer["Id"], "a second customer was made of somebody known")
    hold(len(await s.contacts_with(address)) == 1, "a second contact was made of somebody known")


async def success_that_is_none(s: Stage) -> None:
    contact = await s.contact(email="")
    id = await s.sell(contact)
    status = await s.once()
    await s.failed(id, "invoices", "customer_missing")
    flows = {flow["name"]: flow for flow in status["syncs"][0]["flows"]}
    hold(flows["invoices"]["categories"].get("customer_missing"), "the totals do not count it")
    await s.house.crm("update", "contacts", contact, email=f"{s.fresh()}@example.com")
    await s.once()
    await s.synced(id)


async def vendor_words_passed_on(s: Stage) -> None:
    contact = await s.contact()
    told = "Amount is not equal to UnitPrice * Qty. Supplied value: 41"
    fault = {"code": "6070", "detail": told}
    await s.house.control.arm("quickbooks", "item_fault", {**BATCH, "contains": '"Invoice"'}, times=1, options=fault)
    id = await s.sell(contact)
    await s.once()
    row = await s.house.record(id, "invoices")
    hold(row["status"] == "failed" and row["remedy"], f"refused, and the record is {row['status']} ({row['code']})")
    entries = [entry["words"] for entry in row["activity"]]
    hold(any(told in words for words in [row["words"], *entries]), "what the vendor said is nowhere to be read")


async def one_bad_record(s: Stage) -> None:
    bad, good = await s.sell(await s.contact(email="")), await s.sell(await s.contact())
    await s.once()
    await s.failed(bad, "invoices", "customer_missing")
    await s.synced(good)


async def counted_retried_dismissed(s: Stage) -> None:
    contact = await s.contact(email="")
    id = await s.sell(contact)
    status = await s.once()
    listed = await s.house.records(flow="invoices", status="failed")
    flow = next(flow for flow in status["syncs"][0]["flows"] if flow["name"] == "invoices")
    hold(flow["failed"] == len(listed), f"{flow['failed']} counted, {len(listed)} listed")
    row = await s.house.record(id, "invoices")
    before = len(row["activity"])
    async with cli_client.answers(s.house.config, {}) as source:
        await source.act("exclude", row["id"], {})
    await s.once()
    row = await s.house.record(id, "invoices")
    hold((row["status"], row["code"]) == ("excluded", "by_person"), f"dismissed, and still {row['status']}")
    hold(len(row["activity"]) > before, "its history went with it")


async def refused_removal_shown(s: Stage) -> None:
    pair = await s.sold()
    await s.house.control.settings("quickbooks", BookCloseDate="2099-12-31")
    await s.house.crm("void", "invoices", pair.crm["id"])
    await s.once()
    row = await s.house.record(pair.crm["id"], "invoices")
    hold(row["status"] == "failed" and row["remedy"], f"the books refuse, and the record is {row['status']}")
    await s.house.control.settings("quickbooks", BookCloseDate="2018-12-31")
    await s.once(wait=3600)
    both = await s.house.both(pair.crm["id"])
    hold(cents(both.books["TotalAmt"]) == 0, f"the period is open again, and it is not voided: {both.state}")


async def missing_customer_named(s: Stage) -> None:
    mark = await s.house.mark()
    id = await s.sell(await s.contact(email=""))
    await s.once()
    await s.failed(id, "invoices", "customer_missing")
    hold(not await s.house.written(mark, "quickbooks"), "it was sent although it cannot be booked")


async def twin_only_in_the_refusal(s: Stage) -> None:
    await s.house.control.settings("hubspot", index_lag=120)
    name = s.fresh()
    contact = await s.contact(email=f"{name}@example.com")
    customer = await s.customer(email=f"{name}@example.com")
    await s.once(wait=10)
    await s.once()
    pair = await s.synced(customer["Id"], "contacts")
    hold(pair.crm["id"] == contact, "the contact that the refusal names was not taken")


async def many_of_one_moment(s: Stage) -> None:
    pairs = (await s.house.records(flow="contacts", status="synced"))[:12]
    ids = [row["left"]["id"] for row in pairs]
    mark = s.fresh("+1650555")
    s.together("hubspot", "update", "contacts", s.now(), {id: {"phone": mark} for id in ids})
    await s.once()
    truth = await s.house.books_rows("Customer")
    lost = [row["label"] for row in pairs if mark not in str(truth[row["right"]["id"]].get("PrimaryPhone"))]
    hold(not lost, f"{len(lost)} of {len(pairs)} changes of the same moment never arrived")


async def same_moment_as_the_last_seen(s: Stage) -> None:
    one, other = [await s.sold() for _ in range(2)]
    moment = s.now()
    s.together("hubspot", "update", "invoices", moment, {one.crm["id"]: {"hs_due_date": "2027-04-01"}})
    await s.once(wait=0)
    s.together("hubspot", "update", "invoices", moment, {other.crm["id"]: {"hs_due_date": "2027-04-02"}})
    await s.once()
    for pair, day in ((one, "2027-04-01"), (other, "2027-04-02")):
        found = (await s.synced(pair.crm["id"])).books["DueDate"]
        hold(found == day, f"due on {found} in the books, on {day} in HubSpot")


async def everything_read_again(s: Stage) -> None:
    await s.once()
    mark = await s.house.mark()
    await s.once()
    made = len(await s.house.requests(mark))
    hold(made <= 16, f"{made} calls where nothing had changed")  # `once` starts anew: it also meets both accounts


async def limits_kept(s: Stage) -> None:
    for vendor in ("hubspot", "quickbooks"):
        await s.house.control.settings(vendor, limits=True)
    contact = await s.contact()
    ids = [await s.sell(contact, quantity=str(n)) for n in range(1, 13)]
    mark = await s.house.mark()
    await s.once()
    refused = [row for row in await s.house.requests(mark) if row["status"] == 429]
    hold(not refused, f"{len(refused)} calls over the vendors' limits")
    for id in ids:
        await s.synced(id)


async def voids_and_deletions_seen(s: Stage) -> None:
    void, gone = await s.billed(), await s.billed()
    await s.house.books("pay", "Invoice", gone.books["Id"], amount="10.00")
    await s.once()
    await s.house.books("void", "Invoice", void.books["Id"])
    (payment,) = await s.payments_of(gone.books["Id"])
    await s.house.books("delete", "Payment", payment["Id"])
    await s.once()
    pair = await s.house.both(void.crm["id"])
    hold(pair.of("hs_invoice_status") == "voided", "voided in the books, and still open in HubSpot")
    back = await s.synced(gone.books["Id"])
    owed = back.amount("syncd_balance_due") or back.amount("hs_balance_due")
    hold(owed == 40, f"the deleted payment still counts: {owed} is owed")


async def deleted_stays_deleted(s: Stage) -> None:
    pair = await s.sold()
    await s.house.books("delete", "Invoice", pair.books["Id"])
    await s.house.crm("update", "invoices", pair.crm["id"], hs_due_date="2027-06-30")
    await s.once()
    await s.once()
    hold(not await s.booked(DocNumber=pair.books["DocNumber"]), "a deleted invoice came back")
    row = await s.house.record(pair.crm["id"], "invoices")
    hold(row["status"] == "failed" and row["remedy"], f"gone over there, and the record is {row['status']}")


async def voided_stays_voided(s: Stage) -> None:
    pair = await s.billed()
    await s.house.books("void", "Invoice", pair.books["Id"])
    await s.once()
    await s.house.books("update", "Invoice", pair.books["Id"], memo="Noted after the void")
    await s.once()
    both = await s.house.both(pair.crm["id"])
    hold(both.of("hs_invoice_status") == "voided", "a later edit made a voided document live again")


async def merge_is_no_deletion(s: Stage) -> None:
    pair = await s.sold()
    (kept,) = pair.crm["associations"]["contacts"]
    other = await s.contact()
    mark = await s.house.mark()
    await s.house.crm("merge", "contacts", kept, other=other)
    await s.once()
    hold(not await s.removed(mark), "a merge took something away in the books")
    hold((await s.synced(pair.crm["id"])).books["Id"] == pair.books["Id"], "the invoice was made anew")


async def both_edits_kept(s: Stage) -> None:
    pair = await s.sold()
    (id,) = pair.crm["associations"]["contacts"]
    person = await s.synced(id, "contacts")
    phone, company = s.fresh("+1650777"), s.fresh("Company ")
    await s.house.crm("update", "contacts", id, phone=phone)
    await s.house.books("update", "Customer", person.books["Id"], company=company)
    await s.once()
    person = await s.synced(id, "contacts")
    here = (person.of("phone"), person.of("company"))
    there = (person.books.get("PrimaryPhone", {}).get("FreeFormNumber"), person.books.get("CompanyName"))
    hold(here == there == (phone, company), f"HubSpot holds {here}, the books {there}")


async def no_loops(s: Stage) -> None:
    one, other = await s.sold(), await s.billed()
    await s.house.crm("update", "invoices", one.crm["id"], hs_due_date="2027-05-01")
    await s.house.books("update", "Invoice", other.books["Id"], due="2027-05-02")
    await s.once()
    await s.quiet()


async def stale_news(s: Stage) -> None:
    pair = await s.billed(due="2027-01-10")
    await s.house.control.settings("hubspot", index_lag=60)
    await s.house.books("update", "Invoice", pair.books["Id"], due="2027-02-20")
    await s.once(wait=5)
    await s.once()
    both = await s.synced(pair.books["Id"])
    days = (both.books["DueDate"], (both.of("hs_due_date") or "")[:10])
    hold(days == ("2027-02-20", "2027-02-20"), f"older news won: {days}")


async def partly_paid_and_reopened(s: Stage) -> None:
    pair = await s.sold(price="100")
    for amount, left in (("30.00", 70), ("70.00", 0)):
        await s.house.books("pay", "Invoice", pair.books["Id"], amount=amount)
        await s.once()
        pair = await s.synced(pair.crm["id"])
        owed = {cents(pair.books["Balance"]), pair.amount("hs_balance_due")}
        hold(owed == {left}, f"owed are {owed}, not {left}")
    await s.house.books("delete", "Payment", (await s.payments_of(pair.books["Id"]))[-1]["Id"])
    await s.once()
    pair = await s.synced(pair.crm["id"])
    balance, there = cents(pair.books["Balance"]), pair.amount("hs_balance_due")
    hold(balance == there > 0, f"a payment was taken back, and owed are {balance} and {there}")


async def to_the_cent(s: Stage) -> None:
    contact = await s.contact()
    ids = [await s.sell(contact, quantity=q, price=p) for q, p in (("3", "33.333"), ("0.335", "10.01"), ("7", "0.145"))]
    await s.once()
    for id in ids:
        pair = await s.house.both(id)
        if pair.state[0] == "failed":
            hold(pair.state[1] == "amount_mismatch", f"failed as {pair.state[1]}")
            hold(not pair.books, "it was booked although its totals differ")
        else:
            totals = (cents(pair.books["TotalAmt"]), pair.amount("hs_amount_billed"))
            hold(totals[0] == totals[1], f"totals differ: {totals}")


async def foreign_currency(s: Stage) -> None:
    await s.house.control.settings("quickbooks", MultiCurrency=True)
    id = await s.sell(await s.contact(), hs_currency="EUR")
    await s.once()
    pair = await s.synced(id)
    rate = cents(pair.books.get("ExchangeRate"))
    hold(pair.books["CurrencyRef"]["value"] == "EUR", "booked in another currency")
    hold(rate == cents("1.08"), f"booked at the rate {rate}, not the company's")


async def days_do_not_slide(s: Stage) -> None:
    await s.house.control.settings("hubspot", time_zone="America/Los_Angeles")
    pair = await s.sold(hs_due_date="2027-03-28")
    hold(pair.books["DueDate"] == "2027-03-28", f"due on {pair.books['DueDate']}")
    await s.house.books("update", "Invoice", pair.books["Id"], due="2027-10-31")
    await s.once()
    day = (await s.synced(pair.crm["id"])).of("hs_due_date") or ""
    hold(day[:10] == "2027-10-31", f"due on {day}")


async def tokens_that_rotate(s: Stage) -> None:
    for _ in range(2):
        await s.house.advance(timedelta(hours=26).total_seconds())
        fault = await s.house.control.arm("quickbooks", "reset_after", {"path": TOKENS}, times=1)
        await s.sold()
        lost = next(row["hits"] for row in await s.house.control.faults() if row["id"] == fault)
        hold(lost, "no token was renewed in 26 hours")
    states = {one["name"]: one["state"] for one in (await s.house.status())["connections"]}
    hold(set(states.values()) == {"ok"}, f"the connections are {states}")


SCENARIOS = (
    Scenario(
        1, "repeated-passes", "Syncing again put invoices into the books again.", repeated_passes, (INVOICES_OUT,)
    ),
    Scenario(
        2,
        "lost-answer-to-a-create",
        "After a time-out the same document was created a second time.",
        lost_answer_to_a_create,
        (INVOICES_OUT,),
    ),
    Scenario(
        3,
        "payment-sent-again",
        "A repeated request booked a second payment.",
        payment_sent_again,
        (PAYMENTS_OUT, INVOICES_OUT),
    ),
    Scenario(
        4,
        "search-that-lags",
        "A search did not know the contact just made, so it was made twice.",
        search_that_lags,
        (CONTACTS_IN,),
    ),
    Scenario(
        5,
        "existing-records",
        "The first sync doubled everybody whom both sides knew already.",
        existing_records_met_by_default,
        (INVOICES_OUT,),
    ),
    Scenario(
        6,
        "success-that-is-none",
        "The run was reported as a success while records failed.",
        success_that_is_none,
        (INVOICES_OUT,),
    ),
    Scenario(
        7, "vendor-words", "What the vendor objected to was not passed on.", vendor_words_passed_on, (INVOICES_OUT,)
    ),
    Scenario(8, "one-bad-record", "One malformed record stopped the whole run.", one_bad_record, (INVOICES_OUT,)),
    Scenario(
        9,
        "counted-and-dismissed",
        "Nobody could see how many failed, nor dismiss one and keep its history.",
        counted_retried_dismissed,
        (INVOICES_OUT,),
    ),
    Scenario(
        10,
        "refused-removal",
        "A removal that the vendor keeps refusing was invisible.",
        refused_removal_shown,
        (INVOICES_OUT,),
    ),
    Scenario(
        11,
        "payment-that-hangs",
        "Saving a payment hung, and later it was there twice.",
        payment_that_hangs,
        (PAYMENTS_OUT, INVOICES_OUT),
    ),
    Scenario(
        12,
        "missing-customer",
        "A missing customer showed as an unexpected internal error.",
        missing_customer_named,
        (INVOICES_OUT,),
    ),
    Scenario(
        13,
        "invoiced-estimate",
        "The refusal of an invoiced estimate is unreadable.",
        absent="estimates are not synced yet",
    ),
    Scenario(
        14,
        "twin-in-the-refusal",
        "Which record exists already stood only inside the refusal's text.",
        twin_only_in_the_refusal,
        (CONTACTS_IN,),
    ),
    Scenario(
        15,
        "many-of-one-moment",
        "A bulk edit gave many records the same time, and some were lost.",
        many_of_one_moment,
        (("contacts", OUT),),
    ),
    Scenario(
        16,
        "boundary-moment",
        "What changed in the very moment of the last poll was lost.",
        same_moment_as_the_last_seen,
        (INVOICES_OUT,),
    ),
    Scenario(17, "everything-read-again", "Every run read every record again.", everything_read_again),
    Scenario(18, "limits-kept", "Many records at once ran into the vendor's limits.", limits_kept, (INVOICES_OUT,)),
    Scenario(
        19,
        "voids-and-deletions",
        "Voids and deletions in the books went unnoticed.",
        voids_and_deletions_seen,
        (INVOICES_IN, PAYMENTS_IN),
    ),
    Scenario(
        20, "deleted-stays-deleted", "A deleted invoice could be pushed again.", deleted_stays_deleted, (INVOICES_OUT,)
    ),
    Scenario(
        21, "voided-stays-voided", "A voided document was kept as a live one.", voided_stays_voided, (INVOICES_IN,)
    ),
    Scenario(
        22,
        "merge-is-no-deletion",
        "A merge looked like deletions and a new record.",
        merge_is_no_deletion,
        (INVOICES_OUT,),
    ),
    Scenario(
        23,
        "both-edits-kept",
        "Of two edits of one record, one was lost.",
        both_edits_kept,
        (INVOICES_OUT, ("contacts", OUT), CONTACTS_IN),
    ),
    Scenario(24, "no-loops", "Two systems kept updating each other.", no_loops, (INVOICES_OUT, INVOICES_IN)),
    Scenario(25, "stale-news", "News that came late overwrote what was newer.", stale_news, (INVOICES_IN,)),
    Scenario(
        26,
        "partly-paid",
        "Paid was guessed from a balance of zero, so partial and reopened ones were wrong.",
        partly_paid_and_reopened,
        (INVOICES_OUT, PAYMENTS_IN),
    ),
    Scenario(27, "to-the-cent", "Totals were a cent apart.", to_the_cent, (INVOICES_OUT,)),
    Scenario(
        28,
        "foreign-currency",
        "An invoice in a foreign currency was booked at the rate 1.",
        foreign_currency,
        (INVOICES_OUT,),
    ),
    Scenario(29, "days-do-not-slide", "The due date moved by a day.", days_do_not_slide, (INVOICES_OUT,)),
    Scenario(
        30,
        "tokens-that-rotate",
        "A rotated token was lost, and the connection with it.",
        tokens_that_rotate,
        (INVOICES_OUT,),
    ),
)

__all__ = ["SCENARIOS", "Broken", "Scenario"]
