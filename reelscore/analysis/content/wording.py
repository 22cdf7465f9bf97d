"""What captioners are asked, and how pictures are labelled with their times. The questions never speak of music."""

SCENE_QUESTION = (
    "These pictures are from one scene of a film, in the order in which they are seen. In two or three plain sentences, "
    "say what the scene shows: the place and the light, who or what is there and what happens, the mood, and how calm or "
    "how fast it is. Say only what can be seen, and do not mention the pictures themselves."
)
FILM_QUESTION = (
    "These pictures are from all parts of one short film, in the order in which they are seen. In three or four plain "
    "sentences, say what kind of film it is, where it takes place, what happens from its beginning to its end, and how its "
    "mood and pace change. Say only what can be seen, and do not mention the pictures themselves."
)

# The form in which each family met the times of pictures when it was trained.
_LABELS = {
    "smolvlm": "\nFrame from {minutes:02d}:{seconds:02d}:",
    "video_llama_3": "Time {time:.1f}s:",
    "qwen3_vl": "<{time:.1f} seconds>",
    "qwen3_vl_moe": "<{time:.1f} seconds>",
}


def label(model_type: str, time: float) -> str:
    """The words that stand before a picture of that time."""
    form = _LABELS.get(model_type, "\nPicture at {minutes:02d}:{seconds:02d}:")
    return form.format(minutes=int(time) // 60, seconds=int(time) % 60, time=time)
