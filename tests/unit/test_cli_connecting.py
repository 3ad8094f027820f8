"""What `syncd connect` and `syncd disconnect` print."""

from syncd.cli_output import print_connected, print_disconnected

TOLD = {
    "connection": "books",
    "account": "4620",
    "account_name": "Craig's\x1b[31m",
    "state": "ok",
    "words": "",
    "flows": ["invoicing invoices"],
}


def test_connected_shows_the_company_and_what_goes_on(capsys):
    """The name comes from the vendor: nothing in it reaches the terminal as a command."""
    print_connected(TOLD)

    assert capsys.readouterr().out == ("books is connected: Craig's [31m, account 4620\nresumed: invoicing invoices\n")


def test_a_connection_that_cannot_be_used_yet_says_why(capsys):
    """The tokens are kept; the vendor is down."""
    print_connected(TOLD | {"account_name": None, "state": "vendor_unavailable", "words": "HTTP 503", "flows": []})

    assert capsys.readouterr().out == (
        "books is connected: account 4620\nbut it cannot be used yet: vendor_unavailable: HTTP 503\n"
    )


def test_disconnected_says_what_waits_and_how_to_go_on(capsys):
    """One line a flow."""
    print_disconnected(TOLD)

    out = capsys.readouterr().out
    assert "paused: invoicing invoices" in out
    assert out.endswith("to go on: syncd connect books\n")
