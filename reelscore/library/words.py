"""What is said of a track, made fit to keep: by a person, by the tags in its file, by its name; and which of them wins."""

import re
from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from reelscore.brief import Key
from reelscore.checkpoints.naming import printable
from reelscore.errors import InputError
from reelscore.library import licences
from reelscore.library.tracks import Written

TEMPI_BPM = (20.0, 400.0)
_LONGEST = {
    "title": 200,
    "artist": 200,
    "description": 4000,
    "licence": 500,
    "attribution": 1000,
    "source": 1000,
}
_LONGEST_TAG, _MOST_TAGS = 60, 50
# Tags in files go by many names: of ID3, MP4, RIFF and Vorbis comments, as FFmpeg hands them on.
_TAGGED = {
    "title": ("title",),
    "artist": ("artist", "album_artist", "composer"),
    "description": ("description", "synopsis", "comment"),
    "tags": ("genre", "mood", "tmoo", "keywords", "ikey"),
    "tempo": ("tbpm", "bpm", "tmpo", "tempo"),
    "key": ("tkey", "initialkey", "initial_key", "initial key", "key"),
    "licence": ("license", "licence", "license_url", "wcop", "copyright", "tcop", "icop"),
    "attribution": ("attribution",),
    "source": ("source", "woas", "woaf", "wors", "woar", "url", "website", "purl", "contact"),
}
_SAYS_NOTHING = re.compile(
    r"(unknown|other|none|default|untitled|track ?\d*|genre|various|encoded .*|lavf[\d.]+|\W*)", re.I
)
_ADDRESS = re.compile(r"https?://[^\s,;|<>\"')]+", re.IGNORECASE)
# The wheels of keys that disc jockeys write: Camelot counts hours from A-flat minor (1A) and B major (1B), Open Key from
# A minor (1m) and C major (1d); each hour is a fifth.
_WHEEL = re.compile(r"(1[0-2]|[1-9])([ABabmd])")
_ON_THE_WHEEL = {"A": (8, "minor"), "B": (11, "major"), "m": (9, "minor"), "d": (0, "major")}


def cleaned(said: Written) -> Written:
    """The same on one line each, of bounded length, with the key as `brief.Key` writes it. Raises InputError for a tempo or key that is none."""
    texts: dict[str, Any] = {name: plain(getattr(said, name), most) for name, most in _LONGEST.items()}
    key = said.key
    if key is not None and (key := key_said(key)) is None:
        raise InputError(f"{plain(said.key or '', 60)!r} is no key; write a tonic and a mode, as in 'A minor', or 8A.")
    if said.tempo_bpm is not None and not TEMPI_BPM[0] <= said.tempo_bpm <= TEMPI_BPM[1]:
        least, most_bpm = TEMPI_BPM
        raise InputError(f"{said.tempo_bpm:g} is no tempo; give beats per minute from {least:.0f} to {most_bpm:.0f}.")
    return replace(said, **texts, tags=_distinct(said.tags), key=key)


def merged(*layers: Written) -> Written:
    """Of each field the first that says something."""
    empty = Written()
    chosen = {}
    for each in fields(Written):
        said = (getattr(layer, each.name) for layer in layers)
        chosen[each.name] = next((value for value in said if value not in ("", (), None)), getattr(empty, each.name))
    return Written(**chosen)


def from_tags(tags: Mapping[str, str]) -> Written:
    """What the tags of a file say, by their names in small letters. What cannot be is left out: tags come from strangers."""
    said = {field: [text for name in names if (text := tags.get(name, "").strip())] for field, names in _TAGGED.items()}
    texts = {
        field: next((text for text in found if not _SAYS_NOTHING.fullmatch(text)), "") for field, found in said.items()
    }
    description = "" if _ADDRESS.fullmatch(texts["description"]) else texts["description"]
    return cleaned(
        Written(
            title=texts["title"],
            artist=texts["artist"],
            description=description,
            tags=tuple(each for text in said["tags"] for each in _parted(text) if not _SAYS_NOTHING.fullmatch(each)),
            tempo_bpm=tempo_said(texts["tempo"]),
            key=key_said(texts["key"]),
            licence=_licence(said["licence"], said["description"]),
            attribution=texts["attribution"],
            source=_source([*said["source"], *said["description"]]),
        )
    )


def from_name(path: Path) -> Written:
    """The title that a file's name gives: without underscores and the number in front."""
    name = re.sub(r"[_\s]+", " ", path.stem)
    title = re.sub(r"^(\d{1,3} ?[.-] |0\d{1,2} )(?=\S)", "", name).strip(" -") or path.name
    return cleaned(Written(title=title))


def tempo_said(text: str) -> float | None:
    """The tempo that a text such as "128", "92,5" or "120 bpm" gives; None where it is none."""
    match = re.fullmatch(r"(\d{1,3}([.,]\d{1,6})?)\s*(bpm)?", text.strip().lower())
    tempo_bpm = float(match[1].replace(",", ".")) if match else 0.0
    return tempo_bpm if TEMPI_BPM[0] <= tempo_bpm <= TEMPI_BPM[1] else None


def key_said(text: str) -> str | None:
    """The key that a text such as "Am", "F# minor", "8A" or "1m" gives, as `brief.Key` writes it; None where it is none."""
    if place := _WHEEL.fullmatch(text.strip()):
        name = place[2] if place[2] in "md" else place[2].upper()
        tonic, mode = _ON_THE_WHEEL[name]
        return str(Key((tonic + 7 * (int(place[1]) - 1)) % 12, mode))
    try:
        return str(Key.parse(re.sub(r"([#b♯♭]?)(maj|min|m)\b$", r"\1 \2", text.strip())))
    except ValueError:
        return None


def plain(text: str, most: int) -> str:
    """A text on one line and without orders to the terminal, cut where it is longer than `most` characters."""
    line = " ".join(text.split())
    line = printable(line)
    return line if len(line) <= most else line[: most - 1] + "…"


def _distinct(tags: tuple[str, ...]) -> tuple[str, ...]:
    """Tags without commas, each once."""
    clean = [plain(tag.replace(",", " "), _LONGEST_TAG) for tag in tags]
    return tuple({tag.casefold(): tag for tag in reversed(clean) if tag}.values())[::-1][:_MOST_TAGS]


def _parted(text: str) -> list[str]:
    return [each.strip() for each in re.split(r"[,;/|]", text)]


def _licence(said: list[str], told: list[str]) -> str:
    """The wording of the licence: one that is known, be it in a comment; else whatever is said of rights."""
    known = (licences.found_in(text) for text in (*said, *told))
    return next(filter(None, known), said[0] if said else "")


def _source(said: list[str]) -> str:
    """The first address that is none of a licence."""
    addresses = (address for text in said for address in _ADDRESS.findall(text))
    return next((address for address in addresses if not licences.normalised(address)), "")
