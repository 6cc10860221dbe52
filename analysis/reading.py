"""Files of a run folder, read so that whoever gave the folder learns which file is missing or damaged."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import pandas as pd

from ganaug.errors import UserError

T = TypeVar("T")


def read(path: Path, reader: Callable[[Path], T]) -> T:
    """What `reader` makes of the file `path`; a UserError says that it is missing or cannot be read."""
    if not path.exists():
        raise UserError(f"{path.parent}: {path.name} is missing; run the study again to write the folder anew")
    try:
        return reader(path)
    except UserError:
        raise
    except Exception as error:
        why = " ".join(str(error).split())[:160] or type(error).__name__
        raise UserError(
            f"{path}: cannot be read ({why}); delete it and run the study again, finished cells are reused"
        ) from error


def mapping(path: Path, parse: Callable[[str], Any]) -> dict[str, Any]:
    """The mapping that a text file holds, by `parse`."""
    value = parse(path.read_text(encoding="utf-8"))
    if not isinstance(value, dict):
        raise UserError(f"{path}: must hold a mapping, got {type(value).__name__}")
    return value


def table(path: Path, required: tuple[str, ...]) -> pd.DataFrame:
    """A Parquet table with at least the columns `required`."""
    import pyarrow.parquet as parquet

    frame = typed(parquet.read_table(path))
    missing = [name for name in required if name not in frame.columns]
    if missing:
        raise UserError(f"{path}: must have the columns {', '.join(required)}; {', '.join(missing)} missing")
    return frame


def typed(arrow: Any) -> pd.DataFrame:
    """An Arrow table as pandas; nulls are kept: an Int64 stays whole and a missing number is pd.NA, not a float."""
    frame: pd.DataFrame = arrow.to_pandas(types_mapper=_KINDS.get)
    return frame


def optional(path: Path, required: tuple[str, ...]) -> pd.DataFrame:
    """A table that a run need not have; empty where it is not there."""
    return read(path, lambda file: table(file, required)) if path.exists() else pd.DataFrame(columns=list(required))


def _nullable() -> dict[Any, Any]:
    import pyarrow as pa

    whole = {kind: pd.Int64Dtype() for kind in (pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.uint16())}
    return whole | {
        pa.float32(): pd.Float64Dtype(),
        pa.float64(): pd.Float64Dtype(),
        pa.bool_(): pd.BooleanDtype(),
    }


_KINDS = _nullable()
