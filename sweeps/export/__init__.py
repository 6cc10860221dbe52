"""What leaves a study: the training set of a cell and its generator, in formats that other tools read."""

from enum import StrEnum


class Format(StrEnum):
    """How images are written."""

    folder = "folder"  # PNGs, a sub-folder per class
    safetensors = "safetensors"  # one file of arrays
    idx = "idx"  # MNIST's files; grey images only
