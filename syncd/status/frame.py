"""What every page is rendered in: language, appearance, columns and form tokens of whoever asks, and the templates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from syncd.core import catalogue
from syncd.status import charts, phrases
from syncd.status.access import ACCESS
from syncd.status.access import COOKIE as ACCESS_COOKIE
from syncd.status.formats import Formats
from syncd.status.language import COOKIE, LANGUAGES, language_of
from syncd.status.source import StatusSource
from syncd.status.words import words

TEMPLATES = Path(__file__).parent / "page"
STATUSES = ("synced", "pending", "failed", "excluded")
THEMES = ("auto", "light", "dark")
YEAR = 365 * 24 * 3600
_THEME = "syncd_theme"


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """Who asks: what they chose, and where they are."""

    language: str
    theme: str
    path: str
    signed_in: bool


class Frame:
    """Renders templates; every text a vendor or person wrote is escaped by them."""

    def __init__(self, source: StatusSource) -> None:
        self._source = source
        self._formats = {language: Formats(language, words(language)) for language in LANGUAGES}
        self._templates = {language: self._environment(language) for language in LANGUAGES}

    def visitor(self, request: web.Request) -> Visitor:
        theme = request.cookies.get(_THEME, "")
        return Visitor(
            language=language_of(request, self._source.config.daemon.language),
            theme=theme if theme in THEMES else "auto",
            signed_in=ACCESS_COOKIE in request.cookies,
            path=request.path_qs if request.method == "GET" else "/",
        )

    def html(
        self, request: web.Request, template: str, answered: HTTPStatus = HTTPStatus.OK, **values: Any
    ) -> web.Response:
        """A page for whoever asks."""
        visitor = self.visitor(request)
        text = (
            self._templates[visitor.language]
            .get_template(template)
            .render(
                **values,
                visitor=visitor,
                token=request.app[ACCESS].page_token,
                version=self._source.version,
                here=request.path,
            )
        )
        return web.Response(text=text, content_type="text/html", status=answered)

    def formats(self, request: web.Request) -> Formats:
        return self._formats[self.visitor(request).language]

    def prefer(self, response: web.Response, name: str, value: str) -> None:
        """Remember a choice in the browser; what is no choice is not remembered."""
        if name == "language" and value in LANGUAGES:
            response.set_cookie(COOKIE, value, max_age=YEAR, httponly=True, samesite="Strict", path="/")
        if name == "theme" and value in THEMES:
            response.set_cookie(_THEME, value, max_age=YEAR, httponly=True, samesite="Strict", path="/")

    def _texts(self, code: str, language: str, part: str) -> str:
        """A code in words; a code in the address that nobody knows is shown as it is."""
        if code not in catalogue.CATALOGUE:
            return code
        sync, labels = self._source.syncs[0], self._source.labels
        texts = catalogue.text(
            code, language, left=labels.get(sync.left, sync.left), right=labels.get(sync.right, sync.right)
        )
        text: str = getattr(texts, part)
        return text

    def _environment(self, language: str) -> Environment:
        environment = Environment(
            loader=FileSystemLoader(TEMPLATES),
            autoescape=True,
            undefined=StrictUndefined,
            auto_reload=False,  # they do not change under a running daemon
            trim_blocks=True,
            lstrip_blocks=True,
        )
        said = words(language)
        formats = self._formats[language]
        environment.globals |= {
            "w": said,
            "lang": language,
            "languages": {"en": "English", "fr": "Français"},
            "themes": THEMES,
            "f": formats,
            "n": formats.number,
            "time": formats.time,
            "plural": formats.plural,
            "bar": charts.bar,
            "statuses": STATUSES,
            "label": lambda name: self._source.labels.get(name, name),
            "condition": lambda state: _condition(state, language, said),
            "title_of": lambda code: self._texts(code, language, "title"),
            "remedy_of": lambda code: self._texts(code, language, "remedy"),
            "field_name": lambda name: said.get(f"field.{name}", name.replace("_", " ").capitalize()),
            "word": lambda name: said.get(name, name),
            "say": lambda text: phrases.said(text, language),
            "who": lambda by: _who(by, said),
        }
        return environment


def _condition(state: str, language: str, said: Mapping[str, str]) -> dict[str, str]:
    """A connection's state in words: its title, what it means and what to do."""
    if state in said:
        return {"title": said[state], "explanation": "", "remedy": ""}
    texts = catalogue.text(state, language, left="", right="")
    return {"title": texts.title, "explanation": texts.explanation, "remedy": texts.remedy}


def _who(by: str, said: Mapping[str, str]) -> str:
    """Who or what caused something: one of our words, or a person by the way they came."""
    way, _, name = by.partition(" ")
    return said[f"by.{way}"].format(name=name) if f"by.{way}" in said else by
