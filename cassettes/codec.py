"""Maps as msgpack, strictly: what is written is plain data, and what is read can be nothing else.

No ext types, no timestamps, no duplicate or non-text keys, no non-finite numbers; depth, counts and sizes are capped.
Anything else raises CassetteError.
"""

import math
import threading
from typing import Any

import msgpack

from .errors import CassetteError
from .format import MAX_MAP

MAX_DEPTH = 32
"""Containers inside containers, the map itself counted."""
MAX_ITEMS = 5 << 15
"""Elements of one array: the lengths and times of a stream's marks, and as much as a quarter of that again."""
MAX_KEYS = 4096
"""Entries of one map."""
MAX_VALUES = MAX_ITEMS
"""Values in one record, those inside others counted."""
MAX_CONTAINERS = 1 << 14
"""Arrays and maps among them: the pieces of a body of 16 GiB."""

_TINY = 2 << 10
"""So few bytes cannot make the decoder take more than some 8 MiB: no array may claim more elements than there are bytes."""
_SMALL = 64 << 10
_FEW_WIDE = 16
_WIDE = (0xDC, 0xDD, 0xDE, 0xDF)
"""Marks of arrays and maps that can say they hold many."""
_STEP = [1] * 256
"""The bytes that a value takes, by its mark: values inside it, and what a count behind the mark says, left out."""
_STEP[0xA0:0xC0] = range(1, 33)
_STEP[0xCA:0xD4] = (5, 9, 2, 3, 5, 9, 2, 3, 5, 9)
_STEP[0xC4:0xC7] = _STEP[0xD9:0xDC] = (2, 3, 5)
_STEP[0xDC:0xE0] = (3, 5, 3, 5)
_COUNTED = frozenset({0xC4, 0xC5, 0xC6, *range(0xD9, 0xE0)})
_ARRAYS = frozenset({list, tuple})


class _Packing(threading.local):
    """One packer for each thread, since a new one at each call would ask the system for a quarter of a megabyte each time."""

    def __init__(self) -> None:
        self.packer = msgpack.Packer(use_bin_type=True, autoreset=True)


_packing = _Packing()


def encode_map(fields: dict[str, Any]) -> bytes:
    """The msgpack form of a map of plain data. Raises CassetteError for what a reader would refuse."""
    if len(fields) > MAX_KEYS:
        raise CassetteError("this cannot be stored in a cassette: it has too many fields")
    for value in fields.values():
        if type(value) in _ARRAYS and len(value) > MAX_ITEMS:
            raise CassetteError("this cannot be stored in a cassette: a field has too many elements")
    try:
        data = _packing.packer.pack(fields)
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        _packing.packer.reset()  # what it had packed by then
        raise CassetteError(f"this cannot be stored in a cassette: {error}") from error
    if len(data) > MAX_MAP:
        raise CassetteError(
            f"this cannot be stored in a cassette: {len(data):,} bytes of fields; {MAX_MAP:,} is the most"
        )
    if len(data) > _SMALL and _claims_too_much(data):
        raise CassetteError("this cannot be stored in a cassette: it has too many values")
    return data


def decode_map(data: bytes | memoryview) -> dict[str, Any]:
    """The map in `data`, which holds nothing else. Values of unknown keys are to be passed to `check_plain`."""
    return _decoded(data, strict=True)


def decode_fields(data: bytes | memoryview) -> dict[str, Any]:
    """Like `decode_map`, in half the time, for fields of known types: arrays come as tuples.

    Of maps inside of it nothing is known, not even that no key stood twice: whoever finds one calls `decode_map`.
    """
    fields = _decoded(data, strict=False)
    mark = data[0] if len(data) else 0
    if len(fields) != (mark & 15 if 0x80 <= mark < 0x90 else int.from_bytes(data[1 : _STEP[mark]], "big")):
        raise CassetteError("a record's fields are no valid msgpack map (a key stands twice)")
    return fields


def _decoded(data: bytes | memoryview, *, strict: bool) -> dict[str, Any]:
    if len(data) > MAX_MAP:
        raise CassetteError(f"a record has {len(data):,} bytes of fields; {MAX_MAP:,} is the most")
    data = bytes(data)
    # msgpack makes room for what an array or a map says it holds before it is there: those in others would add up.
    if len(data) > _TINY and (len(data) > _SMALL or sum(map(data.count, _WIDE)) > _FEW_WIDE) and _claims_too_much(data):
        raise CassetteError(f"a record says that it has more than {MAX_VALUES:,} values, or too many arrays and maps")
    try:
        fields = msgpack.unpackb(
            data,
            max_str_len=len(data),
            max_bin_len=len(data),
            max_array_len=min(MAX_ITEMS, len(data)),
            max_map_len=MAX_KEYS,
            max_ext_len=0,
            use_list=strict,
            object_pairs_hook=_unique if strict else None,
        )
    # ValueError covers msgpack's own errors, bad UTF-8 and the caps; MemoryError a hostile count.
    except (ValueError, TypeError, RecursionError, MemoryError, OverflowError) as error:
        raise CassetteError(f"a record's fields are no valid msgpack map ({type(error).__name__}: {error})") from error
    if type(fields) is not dict:
        raise CassetteError(f"a record's fields are no map but {type(fields).__name__}")
    return fields


def check_plain(value: Any, depth: int = 1) -> None:
    """Refuse (CassetteError) what is not plain data: ext values, non-text keys, NaN and infinities, too deep a nesting."""
    kind = type(value)
    if kind is dict or kind is list or kind is tuple:
        if depth > MAX_DEPTH:
            raise CassetteError(f"a record's fields are nested deeper than {MAX_DEPTH}")
        if len(value) > (MAX_KEYS if kind is dict else MAX_ITEMS):
            raise CassetteError(f"a record's field has {len(value):,} elements, which is too many")
        if kind is dict:
            for key in value:
                if type(key) is not str:
                    raise CassetteError(f"a record's field has a key that is no text but {type(key).__name__}")
            value = value.values()
        for item in value:
            check_plain(item, depth + 1)
    elif kind is float:
        if not math.isfinite(value):
            raise CassetteError("a record's field is NaN or infinite")
    elif value is not None and kind not in (bool, int, str, bytes):
        raise CassetteError(f"a record's field is of type {kind.__name__}, which no cassette holds")


def _claims_too_much(data: bytes) -> bool:
    """Whether there are too many arrays and maps in `data`, or they say that they hold too much; nothing is built to find out.

    What is no msgpack ends the look, for the decoder says so.
    """
    at, size, claimed, seen, containers = 0, len(data), 1, 0, 0
    while at < size and seen < claimed:
        mark = data[at]
        seen += 1
        start, at = at + 1, at + _STEP[mark]
        if mark in _COUNTED:
            count = int.from_bytes(data[start:at], "big")
            if mark < 0xDC:
                at += count
                continue
            claimed += count if mark < 0xDE else 2 * count
        elif 0x80 <= mark < 0xA0:
            claimed += mark & 15 if mark >= 0x90 else 2 * (mark & 15)
        else:
            continue
        containers += 1
        if claimed > MAX_VALUES or containers > MAX_CONTAINERS:
            return True
    return False


def _unique(pairs: list[tuple[Any, Any]]) -> dict[Any, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ValueError("a key stands twice")
    return fields
