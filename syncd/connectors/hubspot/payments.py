"""Whether payments can be recorded on this account.

HubSpot documents that it takes HubSpot payments or Stripe to be set up, and no call that tells. So with `auto` it is
believed until HubSpot refuses the first payment with words about that set-up. The words are not documented either: a
refusal that is not recognised stays a refusal of that payment, and the option `payments = "off"` settles it.
"""

from __future__ import annotations

import re

NOT_HERE = "state_not_allowed"
WORDS = "payments cannot be recorded on this account: neither HubSpot payments nor Stripe is set up"

_about_setup = re.compile(r"hubspot payments|stripe|processor|not (set up|enabled|eligible)", re.IGNORECASE)


class Recording:
    """What is known about it so far. `option` is the connection's `payments`."""

    def __init__(self, option: str) -> None:
        self.certain = option != "auto"
        self.possible = option != "off"

    def succeeded(self) -> None:
        """A payment was recorded."""
        self.certain = True

    def refused(self, words: str) -> None:
        """A payment was refused for a reason that is in its words only."""
        if not self.certain and _about_setup.search(words):
            self.certain, self.possible = True, False
