"""What a person may change in a story's configuration, and back again: other text in the place of some of it."""

from collections.abc import Mapping

_CONTACTS = 'flows.contacts]\ndirection = "both"'
_INVOICES = 'flows.invoices]\ndirection = "both"'
_BEFORE = "[syncs.invoicing.flows.invoices]"  # tables of their own come before this one
_NO_ADA = '[{ field = "first_name", operator = "!=", value = "Ada" }]'
_SMALL = '[{ field = "total", operator = "<", value = "500" }]'
_PAYMENTS = '[syncs.invoicing.flows.payments]\ndirection = "off"'
_PHONE = '[[syncs.invoicing.flows.contacts.mappings]]\nleft = "phone"\nright = "phone"\nenabled = false'

VARIANTS: Mapping[str, tuple[str, str]] = {
    "contacts go to the books only": (_CONTACTS, _CONTACTS.replace("both", "left-to-right")),
    "invoices go to the books only": (_INVOICES, _INVOICES.replace("both", "left-to-right")),
    "invoices go to the CRM only": (_INVOICES, _INVOICES.replace("both", "right-to-left")),
    "payments rest": (_BEFORE, f"{_PAYMENTS}\n\n{_BEFORE}"),
    "nobody called Ada": (_CONTACTS, f"{_CONTACTS}\nfilters.right-to-left = {_NO_ADA}"),
    "small invoices only": ('conflict = "left"', f'conflict = "left"\nfilters.left-to-right = {_SMALL}'),
    "no telephones": (_BEFORE, f"{_PHONE}\n\n{_BEFORE}"),
    "watchful": ('approval = "off"', 'approval = "off"\nguard = { changes = 5, removals = 2, creates = 10 }'),
}
