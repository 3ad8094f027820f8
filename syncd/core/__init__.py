"""The pure core: decides on batches of values. No clock, no socket, no store; time and randomness are arguments."""
