"""What can be wrong with a request, in words: each problem has a page that its `type` leads to.

What is wrong with a record or a connection is in the catalogue; here is only what is wrong with asking.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

from syncd.core import catalogue
from syncd.core.catalogue import Texts

PAGE = "/problems/"


@dataclass(frozen=True, slots=True)
class ProblemKind:
    """One row: the status it is answered with and its texts (title, explanation, what to do) by language."""

    status: HTTPStatus
    english: Texts
    french: Texts

    def texts(self, language: str) -> Texts:
        return self.french if language == "fr" else self.english


def _kind(status: HTTPStatus, english: tuple[str, str, str], french: tuple[str, str, str]) -> ProblemKind:
    return ProblemKind(status, Texts(*english), Texts(*french))


PROBLEMS: Mapping[str, ProblemKind] = {
    "bad_question": _kind(
        HTTPStatus.BAD_REQUEST,
        (
            "The request is not understood",
            "A parameter is unknown, given twice, or has a value that makes no sense.",
            "Read the detail, and the description of the interface in /api/v1/openapi.json.",
        ),
        (
            "La demande n’est pas comprise",
            "Un paramètre est inconnu, donné deux fois, ou sa valeur n’a pas de sens.",
            "Lisez le détail, et la description de l’interface dans /api/v1/openapi.json.",
        ),
    ),
    "unauthorized": _kind(
        HTTPStatus.UNAUTHORIZED,
        (
            "Access is needed",
            "This listener answers only those who show an access token.",
            "Make one with `syncd token`, and send it as `Authorization: Bearer ...` or sign in on the page.",
        ),
        (
            "Un accès est nécessaire",
            "Cette adresse ne répond qu’à ceux qui présentent un jeton d’accès.",
            "Créez-en un avec `syncd token`, puis envoyez-le dans `Authorization: Bearer ...` ou connectez-vous sur la "
            "page.",
        ),
    ),
    "forbidden": _kind(
        HTTPStatus.FORBIDDEN,
        (
            "This is not allowed",
            "The access does not include this, or the request was sent from another web site.",
            "Use an operator token, or repeat it from this page.",
        ),
        (
            "Ce n’est pas autorisé",
            "L’accès ne le permet pas, ou la demande vient d’un autre site.",
            "Utilisez un jeton d’opérateur, ou recommencez depuis cette page.",
        ),
    ),
    "not_found": _kind(
        HTTPStatus.NOT_FOUND,
        (
            "There is no such thing",
            "No record, flow, connection or page has this name.",
            "Check the address; a record that was folded into another one has that one's id.",
        ),
        (
            "Cela n’existe pas",
            "Aucun enregistrement, flux, connexion ou page ne porte ce nom.",
            "Vérifiez l’adresse ; un enregistrement fusionné avec un autre porte l’identifiant de celui-ci.",
        ),
    ),
    "method_not_allowed": _kind(
        HTTPStatus.METHOD_NOT_ALLOWED,
        ("That cannot be done here", "This address knows other methods.", "Use one of those in the header `Allow`."),
        (
            "Cela ne se fait pas ici",
            "Cette adresse connaît d’autres méthodes.",
            "Utilisez l’une de celles de l’en-tête `Allow`.",
        ),
    ),
    "too_slow": _kind(
        HTTPStatus.REQUEST_TIMEOUT,
        ("The request came too slowly", "Its body was not there in time.", "Send it again in one go."),
        ("La demande est arrivée trop lentement", "Son contenu n’est pas arrivé à temps.", "Renvoyez-la d’un trait."),
    ),
    "not_possible_now": _kind(
        HTTPStatus.CONFLICT,
        (
            "That is not possible as things stand",
            "The record is not in a state in which this makes sense.",
            "Read the detail; look at the record again, it may have moved on.",
        ),
        (
            "Ce n’est pas possible en l’état",
            "L’enregistrement n’est pas dans un état où cela a un sens.",
            "Lisez le détail ; regardez l’enregistrement de nouveau, il a pu évoluer.",
        ),
    ),
    "not_confirmed": _kind(
        HTTPStatus.CONFLICT,
        (
            "This cannot be undone",
            "What is asked would void or delete something, or send it a second time.",
            "Read the detail; ask again with a confirmation if it is wanted.",
        ),
        (
            "C’est irréversible",
            "La demande annulerait ou supprimerait quelque chose, ou l’enverrait une seconde fois.",
            "Lisez le détail ; demandez de nouveau en confirmant si c’est voulu.",
        ),
    ),
    "key_reused": _kind(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        (
            "This key was used before",
            "The same idempotency key was sent with another action or for another record.",
            "Send each new request with a new key.",
        ),
        (
            "Cette clé a déjà servi",
            "La même clé d’idempotence a été envoyée avec une autre action ou pour un autre enregistrement.",
            "Envoyez chaque nouvelle demande avec une nouvelle clé.",
        ),
    ),
    "too_large": _kind(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        ("The request is too large", "Nothing here takes that much.", "Send only what is asked for."),
        ("La demande est trop grande", "Rien ici n’en prend autant.", "N’envoyez que ce qui est demandé."),
    ),
    "media_type": _kind(
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        ("The request is in a form that is not read here", "JSON without compression is.", "Send JSON."),
        ("La forme de la demande n’est pas lue ici", "Le JSON sans compression l’est.", "Envoyez du JSON."),
    ),
    "misdirected": _kind(
        HTTPStatus.MISDIRECTED_REQUEST,
        (
            "This name is not served here",
            "The request names another machine; that is how web pages elsewhere try to read local services.",
            "Use the address in daemon.listen.",
        ),
        (
            "Ce nom n’est pas servi ici",
            "La demande nomme une autre machine ; c’est ainsi que des pages web tentent de lire des services locaux.",
            "Utilisez l’adresse de daemon.listen.",
        ),
    ),
    "too_often": _kind(
        HTTPStatus.TOO_MANY_REQUESTS,
        ("Too many wrong tries", "Access was asked for too often with a wrong token.", "Wait a minute."),
        (
            "Trop d’essais infructueux",
            "Un accès a été demandé trop souvent avec un faux jeton.",
            "Attendez une minute.",
        ),
    ),
    "fault": _kind(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        ("A fault in syncd", "The log has the details.", "Report it with the entry of the log; nothing was lost."),
        (
            "Une erreur de syncd",
            "Le journal contient les détails.",
            "Signalez-la avec l’entrée du journal ; rien n’est perdu.",
        ),
    ),
    "vendor_trouble": _kind(
        HTTPStatus.BAD_GATEWAY,
        (
            "A vendor could not be told",
            "The other side did not do its part.",
            "Look at the connection.",
        ),
        ("Un fournisseur n’a pas pu être joint", "L’autre côté n’a pas fait sa part.", "Regardez la connexion."),
    ),
    "no_room": _kind(
        HTTPStatus.INSUFFICIENT_STORAGE,
        (
            "There is no room on the disk",
            "What was asked for could not be written down, so it was not done.",
            "Make room on the disk that holds the state, then try again; the daemon goes on by itself.",
        ),
        (
            "Il n’y a plus de place sur le disque",
            "La demande n’a pas pu être enregistrée ; elle n’a donc pas été exécutée.",
            "Faites de la place sur le disque qui contient l’état, puis réessayez ; le démon reprend de lui-même.",
        ),
    ),
    "busy": _kind(
        HTTPStatus.SERVICE_UNAVAILABLE,
        ("Not at the moment", "The daemon is starting, stopping, or asked too much at once.", "Try again shortly."),
        ("Pas pour le moment", "Le démon démarre, s’arrête, ou est trop sollicité.", "Réessayez dans un instant."),
    ),
}

# Of several with one status the first says the least.
_BY_STATUS = {kind.status: code for code, kind in reversed(list(PROBLEMS.items()))}


def code_of(status: HTTPStatus) -> str:
    """The problem of a status that says nothing more exact."""
    return _BY_STATUS.get(status, "fault" if status >= HTTPStatus.INTERNAL_SERVER_ERROR else "bad_question")


def texts_of(code: str, language: str, left: str, right: str) -> Texts | None:
    """The words of a problem or of a row of the catalogue; None when nothing is called so."""
    if code in PROBLEMS:
        return PROBLEMS[code].texts(language)
    if code in catalogue.CATALOGUE:
        return catalogue.text(code, language, left=left, right=right)
    return None
