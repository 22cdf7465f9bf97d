"""Whether our networks give what the published ones give: `python -m benchmark.parity MODEL FOLDER`.

The folder holds what the published implementation answered on weights that follow a recipe: io.safetensors (inputs and
expected outputs; the salt of the weights in its header), the configuration, keys.tsv (names and shapes of these weights) and
published_keys.txt (names and shapes of the released checkpoint).

Prints the largest absolute error of every tensor, and how many published keys found their place. Exits 1 above 1e-4, where a
token differs, or where a key or a tensor has no place.
"""
