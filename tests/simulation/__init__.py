"""The real engine on a virtual clock against the sandbox's vendors, in process: seeded, deterministic, no sockets.

`python -m tests.simulation SEED` replays one story; `python -m tests.simulation --seconds 600` looks for new ones.
"""
