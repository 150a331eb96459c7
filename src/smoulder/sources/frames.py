"""Frames in memory to polars, without changing them: polars, pandas, or whatever speaks the Arrow C stream."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from typing import Any, cast

import numpy as np
import polars as pl

from smoulder.errors import SourceError


def as_polars(frame: Any, name: str) -> pl.DataFrame:
    """Return a frame as polars; SourceError where it is none."""
    if isinstance(frame, pl.DataFrame):
        return frame
    if isinstance(frame, pl.LazyFrame):
        return frame.collect()
    if _is_pandas(frame):
        return _from_pandas(frame, name)
    if isinstance(frame, Mapping):
        return _from_mapping(cast("Mapping[str, Any]", frame), name)
    if hasattr(frame, "__arrow_c_stream__"):
        try:
            return pl.DataFrame(frame)
        except (TypeError, ValueError, pl.exceptions.PolarsError) as error:
            raise SourceError(f"The frame given as {name} cannot be read: {error}") from error
    raise SourceError(
        f"The {name} table is a {type(frame).__name__}; give a path, or a frame of polars, pandas or anything with the Arrow C stream."
    )


def _from_mapping(columns: Mapping[str, Any], name: str) -> pl.DataFrame:
    """Return a mapping of column name -> values as a frame."""
    try:
        return pl.DataFrame(
            {str(key): values if isinstance(values, pl.Series) else _from_objects(values) for key, values in columns.items()}
        )
    except (TypeError, pl.exceptions.PolarsError) as error:
        raise SourceError(f"The {name} table cannot be made of the mapping given: {error}") from error


def _is_pandas(frame: object) -> bool:
    kind = type(frame)
    return kind.__name__ == "DataFrame" and kind.__module__.partition(".")[0] == "pandas"


def _from_pandas(frame: Any, name: str) -> pl.DataFrame:
    """Build the frame column by column: pandas itself needs pyarrow for the Arrow stream, and polars for `from_pandas`."""
    columns = [str(column) for column in frame.columns]
    if len(set(columns)) < len(columns):
        twice = sorted({column for column in columns if columns.count(column) > 1})
        raise SourceError(f"The frame given as {name} has columns of the same name: {', '.join(twice)}. Rename them.")
    return pl.DataFrame({column: _from_pandas_column(frame.iloc[:, i]) for i, column in enumerate(columns)})


def _from_pandas_column(column: Any) -> pl.Series:
    """Return one pandas column with its own type where polars has it, and as text otherwise."""
    dtype = column.dtype
    if getattr(dtype, "tz", None) is not None:
        return _zoned(column, str(dtype.tz))
    if isinstance(dtype, np.dtype) and dtype.kind in "biuf":
        values = pl.Series(column.to_numpy())
        return values.fill_nan(None) if dtype.kind == "f" else values
    if isinstance(dtype, np.dtype) and dtype.kind == "M":
        return _stamps(column.to_numpy())
    objects = column.to_numpy(dtype=object)
    missing = column.isna().to_numpy()
    return _from_objects(None if gone else value for value, gone in zip(objects, missing, strict=True))


def _stamps(values: np.ndarray) -> pl.Series:
    """Return numpy timestamps; polars does not take those in whole seconds."""
    return pl.Series(values.astype("datetime64[us]"))


def _zoned(column: Any, zone: str) -> pl.Series:
    """Return timestamps that show the same wall clock in the same zone."""
    instants = _stamps(column.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy()).dt.replace_time_zone("UTC")
    try:
        return instants.dt.convert_time_zone(zone)
    except (ValueError, pl.exceptions.PolarsError):
        # Fixed offsets have no name in polars; the wall clock is what counts.
        return _stamps(column.dt.tz_localize(None).to_numpy()).dt.replace_time_zone("UTC")


def _from_objects(values: Iterable[Any]) -> pl.Series:
    """Return Python objects as one type where they have one, and as text otherwise."""
    listed = list(values)
    if any(isinstance(value, datetime.datetime) and value.tzinfo is not None for value in listed):
        # polars would move them to UTC, and some to another day; as text each keeps the date its own clock showed.
        return pl.Series([_written(value) for value in listed], dtype=pl.String)
    try:
        return pl.Series(listed, strict=True)
    except (TypeError, pl.exceptions.PolarsError, OverflowError):
        return pl.Series([None if value is None else str(value) for value in listed], dtype=pl.String)


def _written(value: Any) -> str | None:
    """Return an object as text; a moment with the clock it was given in."""
    if value is None:
        return None
    return value.isoformat() if isinstance(value, datetime.datetime) else str(value)
