"""Whether payments can be recorded on this account.

HubSpot documents that it takes HubSpot payments or Stripe to be set up, and no call that tells (unconfirmed). So with
`auto` it is believed until HubSpot refuses the first payment for a reason that is not one of its values.
"""

from __future__ import annotations

NOT_HERE = "state_not_allowed"
WORDS = "payments cannot be recorded on this account: neither HubSpot payments nor Stripe is set up"


class Recording:
    """What is known about it so far. `option` is the connection's `payments`."""

    def __init__(self, option: str) -> None:
        self._certain = option != "auto"
        self.possible = option != "off"

    @property
    def certain(self) -> bool:
        """Whether it is configured or has been seen."""
        return self._certain

    def succeeded(self) -> None:
        """A payment was recorded."""
        self._certain = True

    def refused(self) -> bool:
        """The vendor refused one for no reason of its own; whether that settles the question."""
        if not self._certain:
            self._certain, self.possible = True, False
        return not self.possible
