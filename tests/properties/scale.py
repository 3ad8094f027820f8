"""How often an expensive law is tried: less often than others, and more often where the profile hunts longer."""

from hypothesis import settings

USUAL = 100  # examples of hypothesis' own default


def scaled(examples: int) -> int:
    """This many under the default profile, under another one in proportion."""
    return examples * settings.default.max_examples // USUAL
