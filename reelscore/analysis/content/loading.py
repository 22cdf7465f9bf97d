"""Captioners from their folders: the right class for what lies there, or one sentence that says what is wrong with it.

A folder is read as data: nothing in it is run as code, and nothing is fetched. Pictures are prepared with Pillow alone, so
that the same film is described in the same way whether torchvision is installed or not.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reelscore.analysis.content.blip2 import Blip2Captioner
from reelscore.analysis.content.captioner import Captioner
from reelscore.analysis.content.chat import ChatCaptioner
from reelscore.analysis.content.manners import Place, said_plainly, untiled
from reelscore.checkpoints.hub import locate_folder, quiet
from reelscore.errors import InputError
from reelscore.hardware import Hardware, device_for, dtype_for, quantization_for, require_neural
from reelscore.resident import resident

if TYPE_CHECKING:
    from transformers import PretrainedConfig


def open_captioner(captioner: str, hardware: Hardware) -> Captioner:
    """The captioner of that name, loaded once in a process.

    Raises MissingError where it is not on this machine, and InputError where it cannot be used or does not fit in memory.
    """
    folder = check(captioner, hardware)
    device = device_for(hardware)
    key = ("captioner", str(folder.resolve()), str(device), str(dtype_for(hardware, device)), hardware.low_resource)
    return resident(key, lambda: _loaded(captioner, folder, hardware))


def check(captioner: str, hardware: Hardware) -> Path:
    """The captioner's folder, looked into but not loaded; raises as `open_captioner` does."""
    require_neural()
    quantization_for(hardware, device_for(hardware))
    folder = locate_folder(captioner, "captioner")
    _config(captioner, folder)
    return folder


def _config(captioner: str, folder: Path) -> "PretrainedConfig":
    """The model's configuration. Raises InputError where the folder does not hold a captioning model."""
    import transformers
    from transformers.models.auto.modeling_auto import MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING

    if not (folder / "config.json").is_file():
        raise InputError(f"{captioner} holds no model (there is no config.json in {folder}); give another captioner.")
    with said_plainly(captioner):
        config: PretrainedConfig = transformers.AutoConfig.from_pretrained(
            folder, local_files_only=True, trust_remote_code=False
        )
    if type(config) not in MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING:
        raise InputError(
            f"{captioner} is a model of the kind {config.model_type!r}, which does not describe pictures; give a captioner."
        )
    return config


def _loaded(captioner: str, folder: Path, hardware: Hardware) -> Captioner:
    config = _config(captioner, folder)
    device = device_for(hardware)
    with said_plainly(captioner), quiet():
        processor = _processor(folder, config)
        model = _model(captioner, folder, config, hardware)
    kind = Blip2Captioner if config.model_type == "blip-2" else ChatCaptioner
    if kind is ChatCaptioner and not processor.chat_template and not processor.tokenizer.chat_template:
        raise InputError(
            f"{captioner} has no chat template, so it cannot be asked about pictures; give an instruction-tuned captioner."
        )
    return kind(captioner, model, processor, Place(device, dtype_for(hardware, device)))


def _model(captioner: str, folder: Path, config: "PretrainedConfig", hardware: Hardware) -> Any:
    """The model with all of its weights, on its device."""
    import transformers

    kind: Any = transformers.AutoModelForImageTextToText
    device = device_for(hardware)
    squeezed = quantization_for(hardware, device)
    model, report = kind.from_pretrained(
        folder,
        config=config,
        dtype=dtype_for(hardware, device),
        quantization_config=squeezed,
        device_map={"": device} if squeezed else None,
        local_files_only=True,
        trust_remote_code=False,
        output_loading_info=True,
    )
    # transformers fills what is missing with noise and says so in a log; such a model would caption nonsense.
    if missing := sorted(report["missing_keys"]):
        raise InputError(
            f"{captioner} lacks {len(missing)} of its weights ({missing[0]} is one); the download is not whole, fetch it anew."
        )
    return (model if squeezed else model.to(device)).eval()


def _processor(folder: Path, config: "PretrainedConfig") -> Any:
    """What turns pictures and words into the model's input, made to work without torchvision and at a bounded cost.

    Every picture is given as an image. A processor that also wants a way to read video gets one that reads none: those of
    transformers need torchvision, and videos would be sampled anew although the pictures are chosen already.
    """
    import transformers
    from transformers.models.auto.processing_auto import PROCESSOR_MAPPING

    words: Any = transformers.AutoTokenizer
    pictures: Any = transformers.AutoImageProcessor
    data: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
    kind: Any = _for_pictures(_without_extras(PROCESSOR_MAPPING[type(config)]))
    wanted = kind.get_attributes()
    parts: dict[str, Callable[[], Any]] = {
        "tokenizer": lambda: words.from_pretrained(folder, **data),
        "image_processor": lambda: frugal(pictures.from_pretrained(folder, backend="pil", **data)),
        "video_processor": NoVideo,
    }
    if unknown := [part for part in wanted if part not in parts]:
        raise ValueError(f"its processor wants {', '.join(unknown)} as well")
    settings, _ = kind.get_processor_dict(folder, local_files_only=True)
    return kind.from_args_and_dict([parts[part]() for part in wanted], settings)


def _without_extras(kind: Any) -> Any:
    """The same processor, or one that prepares pictures alike and needs no package for spelling out numbers."""
    from transformers import Idefics3Processor
    from transformers.utils.import_utils import is_num2words_available

    # SmolVLM prepares single pictures as Idefics3 does, from which it comes; it wants num2words to announce videos.
    if kind.__name__ == "SmolVLMProcessor" and not is_num2words_available():
        return Idefics3Processor
    return kind


class NoVideo(dict[str, Any]):
    """Stands where a processor keeps what reads videos: no settings, no inputs, and nothing is ever asked of it."""

    model_input_names: tuple[str, ...] = ()


def _for_pictures(kind: Any) -> Any:
    """The same processor, content with `NoVideo`."""

    class ForPictures(kind):  # type: ignore[misc]
        def check_argument_for_proper_class(self, argument_name: str, argument: Any) -> Any:
            if isinstance(argument, NoVideo):
                return NoVideo
            return super().check_argument_for_proper_class(argument_name, argument)

    return ForPictures


def frugal(image_processor: Any) -> Any:
    """The same image processor, told to see each picture once and not in tiles: the frames of a scene are many and small."""
    for splits in untiled(image_processor):
        setattr(image_processor, splits, False)
    tile = getattr(image_processor, "max_image_size", None)
    if tile and "longest_edge" in tile:
        image_processor.size = dict(tile)
    if type(image_processor).__name__.startswith("VideoLlama3"):
        image_processor.merge_size = 2  # as its own video processor does: a quarter of the tokens
    return image_processor
