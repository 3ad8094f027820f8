"""The recipes: each pair of vendors as data, and how a configuration bends it."""

from syncd.recipes.build import build, check
from syncd.recipes.load import Recipe, load, names

__all__ = ["Recipe", "build", "check", "load", "names"]
