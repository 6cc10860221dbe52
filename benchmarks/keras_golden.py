"""What Keras' ImageDataGenerator makes of one small image, kept as golden numbers for the tests of ganaug.augmentation.

Needs Keras, which the project does not: in an environment of its own,

    pip install keras jax scipy pillow
    KERAS_BACKEND=numpy python benchmarks/keras_golden.py

writes tests/ganaug/keras_golden.npz. Arrays: image (9, 9, 3) uint8; parameters (n, 6): theta, tx, ty, shear, zx, zy;
`affine_<mode>` (n, 9, 9, 3) float32 of each fill mode, constant with cval 77; shifts and factors with `channel_shift`
and `brightness` of the image under each; `standard_<name>` (4, 9, 9, 3) of the images `batch`; version.
"""

from pathlib import Path

import keras
import numpy as np
from keras.src.legacy.preprocessing.image import (
    ImageDataGenerator,
    apply_affine_transform,
    apply_brightness_shift,
    apply_channel_shift,
)

OUT = Path(__file__).parents[1] / "tests/ganaug/keras_golden.npz"
PARAMETERS = np.array(
    [  # theta, tx, ty, shear, zx, zy
        [0, 2, 0, 0, 1, 1],
        [0, 0, -3, 0, 1, 1],
        [0, 0.5, 1.25, 0, 1, 1],
        [90, 0, 0, 0, 1, 1],
        [30, 0, 0, 0, 1, 1],
        [0, 0, 0, 25, 1, 1],
        [0, 0, 0, 0, 0.5, 0.5],
        [0, 0, 0, 0, 1.5, 0.8],
        [-20, 1.5, -0.75, 15, 0.9, 1.2],
        [45, -2, 3, -30, 1.3, 0.7],
    ]
)
STANDARDS = {
    "rescale": {"rescale": 1 / 255},
    "samplewise": {"samplewise_center": True, "samplewise_std_normalization": True},
    "featurewise": {"featurewise_center": True, "featurewise_std_normalization": True},
    "featurewise_rescaled": {"rescale": 1 / 255, "featurewise_center": True, "featurewise_std_normalization": True},
    "function_rescale": {"preprocessing_function": lambda x: 255 - x, "rescale": 1 / 255},
}


def main() -> None:
    """Write the file."""
    rng = np.random.default_rng(0)
    image = rng.integers(30, 220, (9, 9, 3), dtype=np.uint8)
    x = image.astype(np.float64)
    axes = {"row_axis": 0, "col_axis": 1, "channel_axis": 2}
    out = {"image": image, "parameters": PARAMETERS, "version": np.array(keras.__version__)}
    for mode in ("nearest", "constant", "reflect", "wrap"):
        made = [apply_affine_transform(x, *row, **axes, fill_mode=mode, cval=77) for row in PARAMETERS]
        out[f"affine_{mode}"] = np.stack(made).astype(np.float32)
    out["shifts"] = np.array([0.2, -40, 90])
    out["channel_shift"] = np.stack([apply_channel_shift(x, s, 2) for s in out["shifts"]]).astype(np.float32)
    out["factors"] = np.array([0.0, 0.5, 1.0, 1.7])
    out["brightness"] = np.stack([apply_brightness_shift(x, f, False) for f in out["factors"]]).astype(np.float32)
    batch = rng.integers(0, 256, (4, 9, 9, 3), dtype=np.uint8)
    out["batch"] = batch
    for name, options in STANDARDS.items():
        generator = ImageDataGenerator(**options)
        generator.fit(batch.astype(np.float32))
        each = [generator.standardize(one.astype(np.float32).copy()) for one in batch]
        out[f"standard_{name}"] = np.stack(each)
    np.savez_compressed(OUT, **out)


if __name__ == "__main__":
    main()
