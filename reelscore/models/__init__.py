"""Networks and their mathematics in plain PyTorch: tensors in, tensors out. Nothing here knows files, and nothing of ours."""
