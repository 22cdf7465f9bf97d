"""The conditioner: the recorded context, clamped numbers, and the text tower's inner layer."""

import pytest
import torch
from models import recipe

from reelscore.checkpoints.unet_names import name_in_unet
from reelscore.models.conditioning import Conditioner, ConditioningConfig, TextTowerConfig

TEXT = TextTowerConfig(
    vocab_size=40, width=16, layers=3, heads=2, inner_width=24, most_positions=20, prompt_tokens=8, layer=-2
)
TINY = ConditioningConfig(features=16, most_seconds=10, text=TEXT)


@pytest.fixture
def tiny() -> Conditioner:
    torch.manual_seed(0)
    return Conditioner(TINY).eval()


def test_recorded_context() -> None:
    values, salt = recipe.fixture()
    conditioner = Conditioner(ConditioningConfig(text=TextTowerConfig(layers=1, vocab_size=10, inner_width=8)))
    for theirs, shape in recipe.shapes_of_fixture().items():
        if (name_in_unet(theirs) or "").startswith("conditioner."):
            part = conditioner.get_submodule(str(name_in_unet(theirs)).split(".")[1])
            part.load_state_dict({"weight": recipe.weight(theirs, shape, salt)})
    context = conditioner.context(values["prompt.features"], values["prompt.mask"], 0, 23)
    torch.testing.assert_close(context.tokens, values["context"], atol=1e-7, rtol=0)
    torch.testing.assert_close(context.mask, values["context.mask"], atol=0, rtol=0)
    assert isinstance(conditioner.project, torch.nn.Identity)


def test_seconds_are_clamped(tiny: Conditioner) -> None:
    features, mask = torch.zeros(2, 8, 16), torch.ones(2, 8, dtype=torch.int64)
    beyond = tiny.context(features, mask, -3, 999)
    edge = tiny.context(features, mask, 0, 10)
    assert torch.equal(beyond.tokens, edge.tokens)
    assert not torch.equal(edge.tokens, tiny.context(features, mask, 1, 10).tokens)
    assert edge.tokens.shape == (2, 10, 16)
    assert edge.mask.shape == (2, 10)
    assert edge.mask.dtype == edge.tokens.dtype


def test_other_widths_are_projected() -> None:
    conditioner = Conditioner(ConditioningConfig(features=6, most_seconds=10, text=TEXT))
    context = conditioner.context(torch.randn(1, 8, 16), torch.ones(1, 8), 0, 5)
    assert context.tokens.shape == (1, 10, 6)
    assert context.tokens.requires_grad


def test_text_is_read_before_the_last_layer(tiny: Conditioner) -> None:
    ids, mask = torch.tensor([[0, 7, 9, 2, 1, 1, 1, 1]]), torch.tensor([[1, 1, 1, 1, 0, 0, 0, 0]])
    before = tiny.read_text(ids, mask)
    assert before.shape == (1, 8, 16)
    with torch.no_grad():
        for value in tiny.text.roberta.encoder.layer[-1].parameters():
            value.zero_()
    torch.testing.assert_close(tiny.read_text(ids, mask), before)
    with torch.no_grad():
        next(tiny.text.roberta.encoder.layer[-2].parameters()).zero_()
    assert not torch.allclose(tiny.read_text(ids, mask), before)


def test_what_is_masked_is_not_read(tiny: Conditioner) -> None:
    mask = torch.tensor([[1, 1, 1, 1, 0, 0, 0, 0]])
    read = tiny.read_text(torch.tensor([[0, 7, 9, 2, 1, 1, 1, 1]]), mask)
    other = tiny.read_text(torch.tensor([[0, 7, 9, 2, 5, 6, 5, 6]]), mask)
    torch.testing.assert_close(read[:, :4], other[:, :4])


def test_batches_are_rows_alone(tiny: Conditioner) -> None:
    ids = torch.tensor([[0, 7, 9, 2, 1, 1, 1, 1], [0, 3, 4, 5, 6, 2, 1, 1]])
    mask = (ids != 1).long()
    both = tiny.read_text(ids, mask)
    for row in range(2):
        torch.testing.assert_close(both[row], tiny.read_text(ids[[row]], mask[[row]])[0])


@pytest.mark.parametrize("wrong", [{"heads": 3}, {"layer": -5}, {"prompt_tokens": 19}], ids=str)
def test_text_towers_that_do_not_fit_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError):
        TextTowerConfig(**{**TEXT.__dict__, **wrong})
