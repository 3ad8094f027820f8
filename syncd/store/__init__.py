"""What is remembered, in SQLite or PostgreSQL.

`store.Store` runs short synchronous transaction bodies over a `Tx`; `rows` holds the shapes that exist only here;
`secrets` is a file of its own.
"""
