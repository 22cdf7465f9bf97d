"""The published names of the autoencoder (`pretransform.model.…`, weight norm folded), and what they are called here."""

import re

_UNIT = ("snake", "spread", "inner_snake", "mix")
# The parts of a stage in published order; three of them are residual units.
_STAGES = {
    "encoder.encoder.block": ("encoder", ("units.0", "units.1", "units.2", "snake", "down")),
    "decoder.decoder.model": ("decoder", ("snake", "up", "units.0", "units.1", "units.2")),
}
_ALONE = {"encoder.proj_out.weight": "encoder.project.weight", "encoder.proj_out.bias": "encoder.project.bias"}
_SEQUENCE = re.compile(
    r"(?P<room>encoder\.encoder\.block|decoder\.decoder\.model)\.(?P<place>\d+)"
    r"(?:\.block\.(?P<part>\d+))?(?:\.block\.(?P<layer>\d+))?\.(?P<leaf>weight|bias|alpha)"
)
_THEIRS, _OURS = "pretransform.model.", "autoencoder."


def name_in_autoencoder(published: str) -> str | None:
    """The name in `LatentDiffusion` of a published key of the autoencoder, of any number of stages; None if it is not one.

    Only the name changes: the tensor keeps its shape.
    """
    if not published.startswith(_THEIRS):
        return None
    published = published.removeprefix(_THEIRS)
    if published in _ALONE:
        return _OURS + _ALONE[published]
    found = _SEQUENCE.fullmatch(published)
    if not found:
        return None
    side, parts = _STAGES[found["room"]]
    inside = _name_inside(found, parts)
    return inside and f"{_OURS}{side}.{inside}.{found['leaf']}"


def _name_inside(found: re.Match[str], parts: tuple[str, ...]) -> str | None:
    place, is_alpha = int(found["place"]), found["leaf"] == "alpha"
    if found["part"] is None:
        outer = "enter" if place == 0 else "snake" if is_alpha else "leave"
        return outer if is_alpha == (outer == "snake") else None
    if place == 0 or int(found["part"]) >= len(parts):
        return None
    name = parts[int(found["part"])]
    if name.startswith("units") != (found["layer"] is not None):
        return None
    if found["layer"] is not None:
        if int(found["layer"]) >= len(_UNIT):
            return None
        name += "." + _UNIT[int(found["layer"])]
    return f"stages.{place - 1}.{name}" if is_alpha == name.endswith("snake") else None


def published_name_of_autoencoder(ours: str, stages: int = 4) -> str | None:
    """The published key of a name in `LatentDiffusion`, for an autoencoder of so many stages; None if it is not one."""
    path, _, leaf = ours.removeprefix(_OURS).rpartition(".")
    for room, (side, parts) in _STAGES.items():
        places = {f"{side}.enter": "0", f"{side}.snake": f"{stages + 1}", f"{side}.leave": f"{stages + 2}"}
        for stage in range(stages):
            for part, name in enumerate(parts):
                here, there = f"{side}.stages.{stage}.{name}", f"{stage + 1}.block.{part}"
                if name.startswith("units"):
                    places |= {f"{here}.{layer}": f"{there}.block.{at}" for at, layer in enumerate(_UNIT)}
                else:
                    places[here] = there
        if path in places and ours.startswith(_OURS):
            candidate = f"{_THEIRS}{room}.{places[path]}.{leaf}"
            return candidate if name_in_autoencoder(candidate) == ours else None
    return next((_THEIRS + theirs for theirs, name in _ALONE.items() if _OURS + name == ours), None)
