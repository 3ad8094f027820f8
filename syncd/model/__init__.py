"""Our own nouns, frozen.

The words used here and everywhere above the connectors:

* *side*: left or right of a sync. *Kind*: what an entity is (party, product, invoice, payment), in no vendor's words.
* *entity*: one vendor's object; a *snapshot* is what it was at one moment, as one of our nouns.
* *content*: the mapped part of a snapshot, the only thing that is compared. A *base* is the content a side held at the
  last success.
* *record*: the row of the state table: a left and a right entity of a flow that belong together.
"""
