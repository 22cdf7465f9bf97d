"""The verb `models`: which weights there are, under which terms, and how they come here."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, Parameter

from reelscore import checkpoints
from reelscore.cli.flags import AsJson, Quiet
from reelscore.cli.showing import shown_progress
from reelscore.hardware import require_neural

models = App(
    name="models", help="Weights of the neural models: list them, look into them, bring them here, convert them."
)


@models.command(name="list")
def list_models(*, as_json: AsJson = False) -> None:
    """List the models that can be named, with size and licence, and whether they are here."""
    rows = checkpoints.listing()
    if as_json:
        print(json.dumps([asdict(row) for row in rows], indent=2))
        return
    wide = max(len(row.name) for row in rows)
    for kind in dict.fromkeys(row.kind for row in rows):
        print(f"{kind}:")
        for row in rows:
            if row.kind == kind:
                print(f"    {row.name:{wide}}  {'here' if row.here else '-':4}  {row.size:>9}  {row.terms}")


@models.command
def info(
    model: Annotated[str, Parameter(help="A name of `reelscore models list`, or a file of weights.")],
    /,
    *,
    as_json: AsJson = False,
) -> None:
    """Tell what is known of a model or what a file of weights holds: parts, parameters, source, licence."""
    told = checkpoints.describe(model)
    print(json.dumps(told.as_dict(), indent=2) if as_json else "\n".join(told.lines()))


@models.command
def get(
    model: Annotated[str, Parameter(help="A name of `reelscore models list`, or a Hugging Face id.")],
    /,
    *,
    quiet: Quiet = False,
) -> None:
    """Download a model of music, a captioner, a language model or what else is named from Hugging Face; no other verb asks the network for weights."""
    with shown_progress(quiet) as progress:
        folder = checkpoints.get(model, progress)
    print(folder)


@models.command
def convert(
    checkpoint: Annotated[
        Path,
        Parameter(
            help="The model as published: SONIQUE's checkpoint (.ckpt or .safetensors) or VidMuse's state_dict.bin."
        ),
    ],
    /,
    *,
    output: Annotated[
        Path | None, Parameter(alias="-o", help="The file to write; left out, where the engine looks for it.")
    ] = None,
    text_tower: Annotated[
        Path | None, Parameter(help="SONIQUE: the CLAP checkpoint, of LAION or of transformers.")
    ] = None,
    tokenizer: Annotated[
        str | None,
        Parameter(
            help="SONIQUE: the tokenizer that the text tower reads with, a name of `reelscore models list` or a folder; "
            "left out, roberta-base."
        ),
    ] = None,
    config: Annotated[
        Path | None, Parameter(help="SONIQUE: the model's JSON configuration; left out, that of the published one.")
    ] = None,
    encodec: Annotated[
        str | None,
        Parameter(help="VidMuse: the codec, a name of `reelscore models list` or a folder; left out, encodec-32khz."),
    ] = None,
    precision: Annotated[
        Literal["float32", "bf16", "fp16"], Parameter(help="The number format that the weights are kept in.")
    ] = "float32",
    quiet: Quiet = False,
) -> None:
    """Put the published files of a model together into one safetensors file that an engine opens."""
    require_neural()
    from reelscore.checkpoints.converting import Beside
    from reelscore.checkpoints.converting import convert as put_together

    beside = Beside(text_tower, tokenizer, config, encodec)
    with shown_progress(quiet) as progress:
        target = put_together(checkpoint, output, beside, precision, progress)
    print(target)
