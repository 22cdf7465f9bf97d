"""Licences go by one name however they are worded, and what is not surely one of them is none."""

import pytest

from reelscore.errors import InputError
from reelscore.library.licences import LICENCES, attribution, found_in, normalised, parse_licences, terms, worded


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("cc0", "cc0"),
        ("CC0 1.0 Universal", "cc0"),
        ("Creative Commons Zero v1.0 Universal", "cc0"),
        ("CC0 1.0 Universal (CC0 1.0) Public Domain Dedication", "cc0"),
        ("Attribution-ShareAlike 4.0 International (CC BY-SA 4.0)", "cc-by-sa"),
        ("https://creativecommons.org/publicdomain/zero/1.0/", "cc0"),
        ("Public Domain Mark 1.0", "public-domain"),
        ("http://www.creativecommons.org/publicdomain/mark/1.0/deed.de", "public-domain"),
        ("cc-by", "cc-by"),
        ("CC BY 4.0", "cc-by"),
        ("CC-BY-4.0", "cc-by"),
        ("cc by 3.0 US", "cc-by"),
        ("Creative Commons Attribution 4.0", "cc-by"),
        ("Creative Commons Attribution 4.0 International License", "cc-by"),
        ("Licensed under a Creative Commons Attribution 3.0 Unported licence", "cc-by"),
        ("Attribution 4.0 International", "cc-by"),
        ("http://creativecommons.org/licenses/by/2.5/es/", "cc-by"),
        ("creativecommons.org/licenses/by-sa/4.0", "cc-by-sa"),
        ("CC BY-SA", "cc-by-sa"),
        ("by-nc", "cc-by-nc"),
        ("Attribution-NonCommercial-ShareAlike 3.0", "cc-by-nc-sa"),
        ("CC_BY_NC_ND_4.0", "cc-by-nc-nd"),
        ("Creative Commons Attribution No Derivative Works 3.0", "cc-by-nd"),
        ("own", "own"),
        ("My own music", "own"),
        ("Pixabay Content License", "pixabay"),
        ("https://pixabay.com/service/license-summary/", "pixabay"),
        ("Mixkit Stock Music Free License", "mixkit"),
        # what says something else, or says it with conditions, is none
        ("", ""),
        ("by", ""),
        ("attribution required", ""),
        ("free", ""),
        ("Creative Commons", ""),
        ("CC BY, but not on television", ""),
        ("CC BY-SA-ND 4.0", ""),
        ("royalty free", ""),
        ("© 2021 Somebody", ""),
        ("https://example.org/licenses/by/4.0/", ""),
        ("https://pixabay.com/music/a-song/", ""),
        ("https://creativecommons.org/", ""),
        ("not cc0", ""),
    ],
)  # fmt: skip
def test_every_wording_has_one_name(said: str, name: str) -> None:
    assert normalised(said) == name


def test_every_name_means_itself() -> None:
    assert all(normalised(name) == name for name in LICENCES)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("2004 Joe. Licensed to the public under http://creativecommons.org/licenses/by/2.0/ verify at http://joe.org", "cc-by"),
        ("© 2020 Foo, CC BY-NC 4.0", "cc-by-nc"),
        ("A Foo track | Creative Commons Attribution 3.0 | thanks", "cc-by"),
        ("cc-by, cc0", ""),
        ("I wrote this song under stress", ""),
        ("All rights reserved", ""),
    ],
)  # fmt: skip
def test_a_licence_is_found_in_what_files_say(text: str, name: str) -> None:
    assert normalised(found_in(text)) == name


def test_a_filter_takes_only_licences() -> None:
    assert parse_licences("cc-by, CC0,Creative Commons Attribution-ShareAlike") == {"cc-by", "cc0", "cc-by-sa"}
    for wrong in ("cc-by,free", "", "cc-by,,cc0", "all"):
        with pytest.raises(InputError, match="cc-by-sa"):
            parse_licences(wrong)


def test_the_version_that_was_said_stays() -> None:
    assert worded("cc-by", "http://creativecommons.org/licenses/by/3.0/") == "CC BY 3.0"
    assert worded("cc-by-nc", "cc-by-nc") == "CC BY-NC"
    assert worded("cc0", "cc0") == "CC0"


def test_what_a_licence_asks_of_the_film_is_said() -> None:
    assert not any(map(terms, ("cc0", "own", "cc-by", "pixabay", "")))
    assert terms("cc-by-nc-sa") == "non-commercial use only, and the film must be shared under the same licence"
    assert terms("cc-by-nc-nd").startswith("non-commercial use only, and no changes")


def test_an_attribution_is_put_together_where_the_licence_asks_for_one() -> None:
    text = attribution("cc-by", "CC BY 4.0", "Moon", "Ann", "https://example.org/moon")
    assert text == "“Moon” by Ann (CC BY 4.0, https://example.org/moon)"
    assert attribution("cc-by-sa", "cc-by-sa", "Moon", "", "") == "“Moon” (CC BY-SA)"
    assert not any(
        attribution(name, name, "Moon", "Ann", "") for name in ("cc0", "own", "public-domain", "pixabay", "")
    )
