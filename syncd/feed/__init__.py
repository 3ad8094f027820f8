"""Where changes come from: polls, and later webhooks. Both only leave hints; a turn looks."""
