"""Every figure of the README and more: `python -m benchmark`. Exits 1 when one is missed."""

from importlib import import_module

FIGURES = (
    *("sync", "composing", "accents", "mux", "end_to_end", "memory"),
    *("denoising", "decoding", "samplers", "seams", "guide", "generating"),
    *("stepping", "eight_bits", "watching", "continuing"),
    *("musicgen_steps", "adding", "matching", "listening", "joins"),
)


def main() -> int:
    missed = []
    for name in FIGURES:
        print(f"\n== {name}", flush=True)
        if import_module(f"benchmark.{name}").main():
            missed.append(name)
    print(f"\nmissed: {', '.join(missed) or 'none'}")
    return 1 if missed else 0


if __name__ == "__main__":
    raise SystemExit(main())
