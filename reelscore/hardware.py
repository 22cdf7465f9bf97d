"""Where the neural models run: device, precision, and how much they may be squeezed. torch is imported only when asked for."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Literal

from reelscore.errors import InputError, MissingError

if TYPE_CHECKING:
    import torch
    from transformers import BitsAndBytesConfig


@dataclass(frozen=True)
class Hardware:
    """What the neural models may use; what needs no weights takes no notice."""

    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    """Where the neural models run; auto takes CUDA, then MPS, where there is one."""
    precision: Literal["auto", "float32", "bf16", "fp16"] = "auto"
    """The number format they run in; auto is float32 on the CPU and MPS, and bf16 (on older cards fp16) on CUDA."""
    low_resource: bool = False
    """Load the captioner and the language model in 4 bits, for small graphics cards; needs CUDA and bitsandbytes."""


def lacks_neural() -> tuple[str, ...]:
    """One sentence if the extra for neural models is not installed, else none."""
    if all(find_spec(name) for name in ("torch", "transformers", "safetensors")):
        return ()
    return ('The neural models need more packages; install them with: pip install "reelscore[neural]".',)


def require_neural() -> None:
    """Raises MissingError where the extra for neural models is not installed."""
    if absent := lacks_neural():
        raise MissingError(absent[0])


def device_for(hardware: Hardware) -> torch.device:
    """The device to run on. Raises InputError for one that this machine does not have."""
    import torch

    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if hardware.device == "auto":
        return torch.device(next(name for name in ("cuda", "mps", "cpu") if there[name]))
    if not there[hardware.device]:
        usable = ", ".join(name for name, is_there in there.items() if is_there)
        raise InputError(f"There is no device {hardware.device!r} that torch can use here; give one of {usable}.")
    return torch.device(hardware.device)


def dtype_for(hardware: Hardware, device: torch.device) -> torch.dtype:
    """The number format of weights and activations on this device."""
    import torch

    named = {"float32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
    if hardware.precision != "auto":
        return named[hardware.precision]
    if device.type != "cuda":
        return torch.float32
    return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16


def quantization_for(hardware: Hardware, device: torch.device) -> BitsAndBytesConfig | None:
    """How `from_pretrained` is to squeeze a captioner or a language model: into 4 bits where low_resource asks for it, else None.

    Raises InputError on anything but CUDA, and MissingError where bitsandbytes is not installed.
    """
    if not hardware.low_resource:
        return None
    if device.type != "cuda":
        raise InputError(
            f"4-bit loading (--low-resource) needs a CUDA card, and the models would run on {device.type!r} here; "
            "leave it out, or give a smaller model."
        )
    absent = [name for name in ("bitsandbytes", "accelerate") if find_spec(name) is None]
    if absent:
        raise MissingError(
            f"4-bit loading (--low-resource) needs {' and '.join(absent)}; install with: pip install {' '.join(absent)}."
        )
    from transformers import BitsAndBytesConfig

    # NF4 with doubly quantized constants: Dettmers et al. 2023, QLoRA.
    return BitsAndBytesConfig(  # type: ignore[no-untyped-call]
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=dtype_for(hardware, device),
    )


def refuse_unfit_eight_bits(hardware: Hardware) -> None:
    """Raises InputError where a model cannot hold its weights in 8 bits on this hardware, or is asked for another number format."""
    device = device_for(hardware)
    if device.type != "cpu":
        raise InputError(
            f"--int8 is for the CPU, and the model would run on {device.type!r} here; leave it out, or give --device cpu."
        )
    if hardware.precision not in ("auto", "float32"):
        raise InputError(
            f"--int8 and --precision {hardware.precision} both say how to hold the weights; give one of them."
        )


def out_of_memory(problem: BaseException) -> bool:
    """Whether torch raised `problem` because the device's memory is full; each device says so in its own way."""
    import torch

    if isinstance(problem, torch.OutOfMemoryError | MemoryError):
        return True
    said = str(problem).lower()
    return isinstance(problem, RuntimeError) and ("out of memory" in said or "can't allocate memory" in said)


def overflowed(hardware: Hardware) -> InputError:
    """What to raise where a network's numbers are not finite any more."""
    import torch

    if dtype_for(hardware, device_for(hardware)) == torch.float32:
        return InputError("The model's weights make no numbers; their file is damaged, download and convert it again.")
    return InputError(
        f"The model's numbers overflowed with --precision {hardware.precision}; ask for --precision float32, or lower --guidance."
    )
