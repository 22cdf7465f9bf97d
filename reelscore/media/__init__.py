"""Films as files: what they hold, their pictures and sound over time, and a new sound track beside an untouched picture.

The only package that touches FFmpeg, through PyAV.
"""

from reelscore.media.digest import CodedHash, picture_sha256, sound_sha256
from reelscore.media.encode import encode_sound, refuse_unfit_sound
from reelscore.media.fitting import refuse_unfit
from reelscore.media.mux import mux
from reelscore.media.play import Damage, Picture, Sound, play, soundtrack
from reelscore.media.probe import Clip, probe
from reelscore.media.tags import sound_tags

__all__ = [
    "Clip",
    "CodedHash",
    "Damage",
    "Picture",
    "Sound",
    "encode_sound",
    "mux",
    "picture_sha256",
    "play",
    "probe",
    "refuse_unfit",
    "refuse_unfit_sound",
    "sound_sha256",
    "sound_tags",
    "soundtrack",
]
