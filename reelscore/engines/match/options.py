"""The options of the engine `match`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from reelscore.library import default_folder, parse_licences

ANY = "any"  # not an empty text, which a variable that is not set would be too: a filter is never lost without a word
By: TypeAlias = Literal["brief", "description", "title"]


@dataclass(frozen=True)
class Options:
    """Where the tracks are, which of them may play, and by what they are chosen. Raises InputError for a licence that is none."""

    library: str = ""
    """The folder of the library; left out, the one that `reelscore library add` fills."""
    by: By = "brief"
    """What fits the film: tracks whose words are like the brief's; or those whose description, or title, is like what is seen."""
    licence: str = ANY
    """Only tracks under these licences, by commas ("cc-by,cc0"); a track of which no licence is known never passes then."""
    clip: str = ""
    """The CLIP model that looks at the film for --by description and title: a name of `reelscore models list`, a Hugging Face id, or a folder. Left out: the published one where it has been fetched, else words are compared."""
    sentences: str = ""
    """The model that compares sentences for --by brief, given in the same way. Left out: the published one where it has been fetched, else words are compared."""

    def __post_init__(self) -> None:
        if self.licence != ANY:
            parse_licences(self.licence)

    @property
    def folder(self) -> Path:
        """Where the library lies."""
        return Path(self.library).expanduser() if self.library else default_folder()

    @property
    def licences(self) -> frozenset[str]:
        """The licences that pass; none where any does."""
        return frozenset() if self.licence == ANY else parse_licences(self.licence)
