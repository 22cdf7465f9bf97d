"""Emotion from the picture and into music, against what the cited studies found."""

from dataclasses import fields
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_films import FIVE_SCENES, cut_at, film, shot

from reelscore.spotting.emotion import (
    MODE_BRIGHTNESS,
    Emotion,
    Look,
    Manner,
    colour_emotion,
    cutting_arousal,
    distance,
    film_pace,
    look_between,
    look_emotion,
    manner_for,
    mode_for,
    mood_emotion,
    motion_arousal,
    nearest_moods,
    predicted_emotion,
    predicted_ratings,
    tempo_for,
)
from reelscore.vocabulary import MOODS


def test_bright_is_pleasant_and_saturated_is_exciting():
    def colour(brightness=0.42, saturation=0.32, contrast=0.4, warmth=0.0):
        return colour_emotion(brightness, saturation, contrast, warmth)

    assert colour(brightness=0.7).valence > colour().valence > colour(brightness=0.1).valence
    assert colour(saturation=0.7).arousal > colour().arousal
    assert colour(warmth=0.8).arousal > colour(warmth=-0.8).arousal
    assert colour(brightness=0.1).tension > colour().tension
    assert colour(contrast=0.9).tension > colour().tension


def test_valdez_and_mehrabian_weights():
    # One spread more brightness, in halved standard scores: .69 / 2 of pleasure, −.31 / 2 of arousal.
    plain, brighter = colour_emotion(0.42, 0.32, 0.4, 0.0), colour_emotion(0.59, 0.32, 0.4, 0.0)
    assert brighter.valence - plain.valence == pytest.approx(0.69 / 2)
    assert brighter.arousal - plain.arousal == pytest.approx(-0.31 / 2)


def test_black_and_white_is_not_sad_by_itself():
    assert colour_emotion(0.42, 0.0, 0.4, 0.0).valence == pytest.approx(0.0)


def test_cutting_and_movement_excite():
    assert cutting_arousal(5.0) == 0.0
    assert cutting_arousal(1.25) == 1.0
    assert cutting_arousal(20.0) == -1.0
    assert motion_arousal(0.0) == -1.0 < motion_arousal(0.2) < motion_arousal(0.6) < motion_arousal(1.0) <= 1.0


def test_a_fast_bright_film_is_happier_and_livelier_than_a_slow_dark_one():
    fast = look_between(cut_at([n * 1.0 for n in range(1, 30)], 30, motion=0.6, brightness=0.7), 0, 30)
    slow = look_between(cut_at([], 30, motion=0.03, brightness=0.15), 0, 30)
    assert look_emotion(fast).arousal > 0.4
    assert look_emotion(slow).arousal < -0.4
    assert look_emotion(fast).valence > 0.2 > -0.1 > look_emotion(slow).valence


def test_the_look_follows_the_stretch():
    early, late = look_between(FIVE_SCENES, 0, 6), look_between(FIVE_SCENES, 6, 9)
    assert (early.motion, late.motion) == (pytest.approx(0.1), pytest.approx(0.5))
    without_curves = film([shot(0, 10, motion=0.4)], 10).model_copy(
        update={
            "curves": FIVE_SCENES.curves.model_copy(
                update=dict.fromkeys(("motion", "brightness", "saturation", "contrast", "warmth"), ())
            )
        }
    )
    assert look_between(without_curves, 2, 4).motion == pytest.approx(0.4)


@given(st.builds(Look, *[st.floats(0, 1)] * 5, st.floats(-1, 1), st.floats(0.01, 1000)))
def test_every_look_gives_an_emotion_in_range(look):
    felt = look_emotion(look)
    assert -1 <= felt.valence <= 1 and -1 <= felt.arousal <= 1 and 0 <= felt.tension <= 1


def test_pace_rises_where_shots_get_short():
    paces = film_pace(cut_at([10, 20, 21, 22, 23, 33], 43).shots)
    assert paces[3] > paces[0] + 1.0
    assert len(film_pace(())) == 0


# Directions that Eerola et al. report for the extremes of their stimuli.
def test_the_model_calls_fast_high_major_happy_and_slow_low_minor_sad():
    happy = predicted_ratings(Manner(True, 6.0, 83, 10, 4, "flute"))
    sad = predicted_ratings(Manner(False, 1.2, 53, -10, 1, "flute"))
    scary = predicted_ratings(Manner(False, 6.0, 53, 10, 4, "trumpet"))
    peaceful = predicted_ratings(Manner(True, 1.2, 83, -10, 1, "flute"))
    for ratings, name in ((happy, "happy"), (sad, "sad"), (scary, "scary"), (peaceful, "peaceful")):
        assert max(ratings, key=lambda other: ratings[other]) == name


def test_the_published_effect_of_mode():
    major, minor = (Manner(mode, 2.8, 65, 0, 2, "flute") for mode in (True, False))
    assert predicted_ratings(major)["happy"] - predicted_ratings(minor)["happy"] == pytest.approx(1.789)
    assert predicted_ratings(major)["sad"] - predicted_ratings(minor)["sad"] == pytest.approx(-1.673)


def test_the_inverse_meets_what_is_wanted():
    for valence, arousal in product((-0.6, -0.3, 0.0, 0.3, 0.6), (-0.6, 0.0, 0.6)):
        wanted = Emotion(valence, arousal, 0.3 if valence > 0 else 0.5)
        heard = predicted_emotion(manner_for(wanted))
        assert abs(heard.valence - valence) < 0.2 and abs(heard.arousal - arousal) < 0.2


def test_the_inverse_changes_little_where_it_may():
    previous = manner_for(Emotion(0.5, 0.1, 0.2))
    wanted = Emotion(0.45, 0.2, 0.2)

    def changed(manner):
        return sum(getattr(manner, cue.name) != getattr(previous, cue.name) for cue in fields(Manner))

    assert changed(manner_for(wanted, previous)) < changed(manner_for(wanted))


def test_happy_is_played_in_major_and_sad_in_minor():
    assert manner_for(mood_emotion("happy")).major and manner_for(mood_emotion("peaceful")).major
    assert not manner_for(mood_emotion("sad")).major and not manner_for(mood_emotion("scary")).major


def test_tempo_of_an_arousal():
    assert tempo_for(0.0) == 84.0
    assert (tempo_for(-1.0), tempo_for(1.0)) == (56.0, pytest.approx(156.75, abs=0.1))


def test_brighter_modes_for_happier_music():
    modes = list(MODE_BRIGHTNESS)
    chosen = [MODE_BRIGHTNESS[mode_for(Emotion(valence, 0, 0.2), modes)] for valence in (-1, -0.4, 0, 0.4, 1)]
    assert chosen == sorted(chosen)
    assert (chosen[0], chosen[-1]) == (0.21, 0.83)


@pytest.mark.parametrize("mood", MOODS)
def test_every_mood_is_nearest_to_itself(mood):
    assert nearest_moods(mood_emotion(mood))[0] == mood
    assert nearest_moods(mood_emotion(mood), [mood])[0] != mood


def test_degrees_move_a_mood_towards_and_away_from_neutral():
    little, plain, much = (mood_emotion("sad", degree) for degree in (0.5, 1.0, 1.3))
    assert much.valence < plain.valence < little.valence < 0
    assert distance(little, plain) > 0
