"""Licences by one name each, however they are worded, and the text that goes with a film where a licence asks for one.

Only wordings that say one known licence and nothing else are taken for it: whatever has conditions of its own stays as it
was said and passes no filter.
"""

import re
from urllib.parse import urlsplit

from reelscore.errors import InputError

_CREATIVE_COMMONS = ("cc-by", "cc-by-sa", "cc-by-nc", "cc-by-nc-sa", "cc-by-nd", "cc-by-nc-nd")
# Licences whose terms ask for the maker's name, and those that forbid to change the work: setting music to moving
# pictures counts as a change (legal code of CC 4.0, section 1a).
ATTRIBUTED = frozenset(_CREATIVE_COMMONS)
UNCHANGED = frozenset({"cc-by-nd", "cc-by-nc-nd"})
LICENCES = ("own", "public-domain", "cc0", *_CREATIVE_COMMONS, "pixabay", "mixkit")

_SAID = {
    "own": "own|mine|my own( music| work)?|self made|selfmade",
    "public-domain": "pd|public domain( mark)?|publicdomain|cc pdm|pdm",
    "cc0": "cc ?0|cc zero|zero|cc ?0 public domain( dedication)?|cc zero public domain( dedication)?|public domain cc ?0",
    "pixabay": "pixabay",
    "mixkit": "mixkit",
}
# What is said beside a licence's name without changing it, and the four elements of Creative Commons in words.
_BESIDE = re.compile(
    r"\b(the|an?|under|licen[cs]ed?|licensing|international|intl|unported|universal|generic|version|content|free|stock music)\b"
)
_VERSION = re.compile(r"\bv?([1-4] [05])( (?-i:[a-z]{2}))?\b")
_WORDS = (
    ("creative commons", "cc"),
    ("attribution", "by"),
    ("non ?commercial", "nc"),
    ("share ?alike", "sa"),
    ("no ?deriv(atives|ative works|ative|s)?( works)?", "nd"),
)
_MOST_READ = 2000  # characters of a text in which a licence is looked for
_ADDRESS = re.compile(r"(?:https?://)?(?:www\.)?creativecommons\.org/[^\s,;|<>\"')]+", re.IGNORECASE)


def normalised(said: str) -> str:
    """The name in `LICENCES` of the licence that is said, in any wording or by its address; empty where it is none of them."""
    text = said.strip().lower()
    if re.match(r"(https?://|www\.|creativecommons\.org|pixabay\.com|mixkit\.co)", text):
        return _of_address(text)
    text = re.sub(r"[\W_]+", " ", text).strip()
    text, versioned = _VERSION.subn(" ", text)
    text = re.sub(r"\bcc ?by", "cc by", text)
    for words, element in _WORDS:
        text = re.sub(rf"\b{words}\b", element, text)
    text = " ".join(_BESIDE.sub(" ", text).split())
    text = re.sub(r"\b(\w+)( \1\b)+", r"\1", text)  # a name and its short form again
    for name, wording in _SAID.items():
        if re.fullmatch(wording, text):
            return name
    if text == "by" and not versioned:  # a word like any other, unless it is "Attribution 4.0"
        return ""
    return _of_elements(text.split())


def _of_elements(elements: list[str]) -> str:
    """The Creative Commons licence of these elements, in any order; empty where they are of none."""
    if set(elements) - {"cc", "by", "nc", "nd", "sa"}:
        return ""
    name = "-".join(("cc", *(each for each in ("by", "nc", "nd", "sa") if each in elements)))
    return name if name in _CREATIVE_COMMONS else ""


def _of_address(address: str) -> str:
    parts = urlsplit(address if "//" in address else f"https://{address}")
    host, path = (parts.hostname or "").removeprefix("www."), parts.path.strip("/").split("/")
    if host in ("pixabay.com", "mixkit.co"):
        return host.split(".")[0] if "license" in parts.path else ""
    if host != "creativecommons.org" or len(path) < 2:
        return ""
    if path[0] == "publicdomain":
        return {"zero": "cc0", "mark": "public-domain"}.get(path[1], "")
    return _of_elements(path[1].split("-")) if path[0] == "licenses" else ""


def found_in(text: str) -> str:
    """The wording of the one licence that a longer text names, as tags of files do; empty where there is none or more than one.

    Looks for an address of Creative Commons, and for a licence alone between commas, semicolons, bars or line ends.
    """
    text = text[:_MOST_READ]
    phrases = [*_ADDRESS.findall(text), *re.split(r"[,;|\n()]+|\b(?:licensed )?under\b", text)]
    named = {name: phrase.strip() for phrase in reversed(phrases) if (name := normalised(phrase))}
    return next(iter(named.values())) if len(named) == 1 else ""


def parse_licences(text: str) -> frozenset[str]:
    """The licences of a list such as "cc-by, CC0". Raises InputError for a name that is no licence, and for none at all."""
    names = [each.strip() for each in text.split(",")]
    for name in names:
        if not normalised(name):
            raise InputError(f"{name!r} is no licence that can be asked for; give some of {', '.join(LICENCES)}.")
    return frozenset(map(normalised, names))


def terms(licence: str) -> str:
    """What else the licence asks of a film with this music, in words; empty where it asks for a name at most."""
    asked = (
        "non-commercial use only" if "-nc" in licence else "",
        "the film must be shared under the same licence" if licence.endswith("-sa") else "",
        "no changes, and setting it to pictures counts as one: ask whoever made it" if licence in UNCHANGED else "",
    )
    return ", and ".join(filter(None, asked))


def worded(licence: str, said: str) -> str:
    """A licence as people write it, with the version that was said: "CC BY 4.0"."""
    version = re.search(r"\b([1-4]\.[05])\b", said)
    name = licence.upper() if licence.startswith("cc") else licence
    name = re.sub(r"^CC-", "CC ", name)
    return f"{name} {version[1]}" if version and licence.startswith("cc") else name


def attribution(licence: str, said: str, title: str, artist: str, source: str) -> str:
    """The text that goes with the film where the licence asks for one: “Title” by Artist (CC BY 4.0, source); else none."""
    if licence not in ATTRIBUTED:
        return ""
    by = f" by {artist}" if artist else ""
    told = ", ".join(filter(None, (worded(licence, said), source)))
    return f"“{title}”{by} ({told})"
