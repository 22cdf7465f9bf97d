"""What a user can cause and mend.

    ReelscoreError
    ├── InputError      a file or a value that was given cannot be used
    │   ├── MediaError      a film or a sound file that cannot be read
    │   └── BriefError      a brief that does not hold together; names the field
    ├── OutputError     the result cannot be written where it was asked for
    └── MissingError    an extra, a weight or a system library is not there

Every message is one sentence that gives the value and the remedy. The command line prints it alone and leaves with
exit code 1; anything that is not a ReelscoreError is a defect of ours and shows its traceback.
"""


class ReelscoreError(Exception):
    """Root of everything that a user can cause and mend."""


class InputError(ReelscoreError):
    """A file or a value that was given cannot be used."""


class MediaError(InputError):
    """A film or a sound file that cannot be read."""


class BriefError(InputError):
    """A brief that does not hold together; the message names the field."""


class OutputError(ReelscoreError):
    """The result cannot be written where it was asked for."""


class MissingError(ReelscoreError):
    """An extra, a weight or a system library is not there; the message holds the command that brings it."""
