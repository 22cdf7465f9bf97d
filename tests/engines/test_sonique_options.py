"""Options are refused in one sentence that names the flag, the value and what would be right."""

from typing import Any

import pytest

from reelscore.engines.sonique import Options
from reelscore.errors import InputError


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("steps", -1),
        ("steps", 1),
        ("steps", 100_000),
        ("guidance", -2.0),
        ("guidance", float("nan")),
        ("rescale", 1.5),
        ("window", 0.5),
        ("window", float("inf")),
        ("sampler", "euler"),
        ("keep", "all"),
        ("sigma_min", 0.0),
        ("sigma_max", float("inf")),
    ],
)
def test_a_value_that_cannot_be_is_refused(name: str, value: Any) -> None:
    with pytest.raises(InputError, match=f"^--{name.replace('_', '-')} .*[.]$"):
        Options(**{name: value})


def test_noise_must_fall() -> None:
    with pytest.raises(InputError, match="--sigma-min 5 is not below --sigma-max 5"):
        Options(sigma_min=5.0, sigma_max=5.0)


def test_what_is_left_out_depends_on_the_way() -> None:
    ours, published = Options(), Options(as_published=True)
    assert (published.step_count, published.sampler_name) == (300, "dpmpp-2m-sde")
    assert ours.step_count < 50
    assert Options(steps=7, sampler="heun", as_published=True).step_count == 7
    assert Options(sampler="heun", as_published=True).sampler_name == "heun"


def test_the_more_is_kept_the_less_noise_is_laid_over() -> None:
    sigmas = [Options(keep=keep).start_sigma for keep in ("hint", "loose", "close", "strict")]
    assert sigmas == sorted(sigmas, reverse=True)
    assert Options(keep="hint", sigma_max=2.0).start_sigma == 2.0
