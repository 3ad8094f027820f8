"""The recipes: each pair of vendors as data, and how a configuration bends it."""

from syncd.recipes.build import build, check, tables
from syncd.recipes.load import Recipe, load, names
from syncd.recipes.mappings import shown_path

__all__ = ["Recipe", "build", "check", "load", "names", "shown_path", "tables"]
