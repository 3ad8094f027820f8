"""The lines of a sale: checked, renumbered, put in the vendor's order (items and texts, SubTotal, discount)."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from syncd.sandbox.quickbooks.books import Books, Call, find
from syncd.sandbox.quickbooks.checks import check_date, fit
from syncd.sandbox.quickbooks.errors import Fault, business, inactive, missing, unknown_reference
from syncd.sandbox.quickbooks.schema import LINE_DESCRIPTION_LENGTH
from syncd.sandbox.quickbooks.store import Record
from syncd.sandbox.quickbooks.wire import ZERO, Json, amount, cents, filled, number, objects, ref, ref_id

SHIPPING = "SHIPPING_ITEM_ID"
SALE, DISCOUNT, SUBTOTAL, TEXT = "SalesItemLineDetail", "DiscountLineDetail", "SubTotalLineDetail", "DescriptionOnly"


@dataclass(frozen=True, slots=True)
class Content:
    """What a sale's lines come to, before tax. `taxed` maps a line's tax code to the sum of its lines."""

    lines: list[Json]
    subtotal: Decimal
    discount: Decimal
    taxed: dict[str, Decimal]


def content(lines: list[Json]) -> Content:
    """Sum up lines that are stored already. A SubTotal counts when there is nothing else (statement charges)."""
    sold = [line for line in lines if line["DetailType"] == SALE]
    subtotals = [amount(line, "Amount") for line in lines if line["DetailType"] == SUBTOTAL]
    subtotal = sum((amount(line, "Amount") for line in sold), ZERO) if sold else sum(subtotals, ZERO)
    discount = sum((amount(line, "Amount") for line in lines if line["DetailType"] == DISCOUNT), ZERO)
    taxed: dict[str, Decimal] = {}
    for line in sold:
        code = ref_id(line[SALE], "TaxCodeRef") or "NON"
        taxed[code] = taxed.get(code, ZERO) + amount(line, "Amount")
    return Content(lines, subtotal, discount, taxed)


def arranged(books: Books, call: Call, sent: object, old: Json | None) -> Content:
    """The lines of a request as they will be stored.

    Raises:
        Fault: 2020, 2010, 2050, 2170, 2500/610, 6000, 6070, 6090, 6100 as the rules for lines say.
    """
    known_items = {ref_id(line.get(SALE, {}), "ItemRef") for line in (old or {}).get("Line", [])}
    body, discounts = [], []
    for line in objects(sent, "Line"):
        match line.get("DetailType"):
            case "SalesItemLineDetail":
                body.append(_sale(books, call, line, known_items))
            case "DescriptionOnly":
                body.append(_text(books, line))
            case "DiscountLineDetail":
                discounts.append(line)
            case "SubTotalLineDetail":
                pass  # the server makes its own
            case None:
                raise missing("Line.DetailType")
            case other:
                raise Fault("2170", f"Invalid Enumeration : {other}")
    if not any(line["DetailType"] == SALE for line in body):
        raise missing("Line")
    numbered = [{"Id": str(n), "LineNum": n, **line} for n, line in enumerate(body, start=1)]
    subtotal = content(numbered).subtotal
    total_line = {"Amount": subtotal, "DetailType": SUBTOTAL, SUBTOTAL: {}}
    return content([*numbered, total_line, *_discounts(books, discounts, subtotal)])


def _sale(books: Books, call: Call, line: Json, known_items: set[str | None]) -> Json:
    detail = filled(line.get(SALE) or {})
    item_id = ref_id(detail, "ItemRef")
    if item_id is None:
        # Documented oddity: without an item the line is a mere text and its amount is dropped.
        return _text(books, line)
    stored = {**detail, "ItemRef": ref(item_id)}
    if item_id == SHIPPING:
        if not books.settings.AllowShipping:
            raise business("Shipping is turned off in the company's preferences.")
    else:
        item = _item(books, call, item_id, known_items)
        stored["ItemRef"] = ref(item_id, item.fields["Name"])
        _check_service_date(books, detail, item)
    if "ServiceDate" in detail:
        stored["ServiceDate"] = check_date(detail, "ServiceDate")
    stored["TaxCodeRef"] = ref(_tax_code(books, call, detail))
    total, quantities = _priced(books, line, detail)
    result = {**_common(books, line), "Amount": total, "DetailType": SALE, SALE: stored | quantities}
    return {key: value for key, value in result.items() if value is not None}


def _item(books: Books, call: Call, id: str, known_items: set[str | None]) -> Record:
    item = find(books, call, "Item", id)
    if item is None:
        raise unknown_reference("ItemRef", id)
    if not item.active and id not in known_items:
        raise inactive(books.settings.inactive_code, "ItemRef")
    if item.fields["Type"] == "Category":
        raise business("A category cannot be used on a line.")
    return item


def _check_service_date(books: Books, detail: Json, item: Record) -> None:
    if books.settings.RevenueRecognition and item.fields.get("DeferredRevenue") and not detail.get("ServiceDate"):
        raise business("Enter a service date for the revenue recognition product line item.")


def _tax_code(books: Books, call: Call, detail: Json) -> str:
    code = ref_id(detail, "TaxCodeRef")
    if books.settings.Country == "US":
        if code is not None and code not in ("TAX", "NON"):
            raise Fault("6100", f"Valid Line TaxCodes for US should be TAX or NON. Supplied value:{code}")
        return code or "NON"
    if not books.settings.UsingSalesTax:
        return code or "NON"
    if code is None:
        raise business("Make sure all your transactions have a GST/HST rate before you save.")
    if find(books, call, "TaxCode", code) is None:
        raise unknown_reference("TaxCodeRef", code)
    return code


def _priced(books: Books, line: Json, detail: Json) -> tuple[Decimal, Json]:
    if line.get("Amount") is None:
        raise missing("Line.Amount")
    total = number(line["Amount"], "Amount")
    given = {key: number(detail[key], key) for key in ("Qty", "UnitPrice") if detail.get(key) is not None}
    if len(given) == 2:
        product = given["Qty"] * given["UnitPrice"]
        if total not in (product, cents(product)):
            raise Fault("6070", f"Amount is not equal to UnitPrice * Qty. Supplied value:{total}")
    if "round" in books.settings.normalise:
        given = {key: cents(value) for key, value in given.items()}
    return cents(total), given


def _text(books: Books, line: Json) -> Json:
    detail = filled(line.get("DescriptionLineDetail") or {})
    return {**_common(books, line), "DetailType": TEXT, "DescriptionLineDetail": detail}


def _common(books: Books, line: Json) -> Json:
    result: Json = {}
    if line.get("Description") is not None:
        cut = "truncate" in books.settings.normalise
        result["Description"] = fit(line["Description"], "Line.Description", LINE_DESCRIPTION_LENGTH, truncate=cut)
    if line.get("LinkedTxn"):
        result["LinkedTxn"] = objects(line["LinkedTxn"], "LinkedTxn")
    return result


def _discounts(books: Books, lines: list[Json], subtotal: Decimal) -> list[Json]:
    if not lines:
        return []
    if not books.settings.AllowDiscount:
        raise business("Discounts are turned off in the company's preferences.")
    if len(lines) > 1:
        raise Fault("6090", "A transaction can have one discount line only.")
    (line,) = lines
    detail = filled(line.get(DISCOUNT) or {})
    if detail.get("PercentBased") and detail.get("DiscountPercent") is not None:
        percent = number(detail["DiscountPercent"], "DiscountPercent")
        total = cents(subtotal * percent / 100)
    elif line.get("Amount") is not None:
        total = cents(number(line["Amount"], "Amount"))
        detail["PercentBased"] = False
    else:
        raise Fault("6090", "A discount line needs an amount or a percentage.")
    if total < 0:
        raise Fault("6090", "The amount of a discount is positive.")
    detail.setdefault("DiscountAccountRef", ref("86", "Discounts given"))
    return [{"Amount": total, "DetailType": DISCOUNT, DISCOUNT: detail}]
