"""The compiled core's library: the exported functions of native/*.c as ctypes knows them, and the rows they share.

Calls keep the interpreter's lock (`PyDLL`): one takes a millisecond for a full batch, and handing the lock over beside
a busy thread would take longer than that.
"""

from __future__ import annotations

import ctypes
from ctypes import POINTER, c_bool, c_char_p, c_double, c_int32, c_int64, c_uint8, c_uint32, c_uint64, c_void_p
from functools import cache
from typing import Any, Final

import numpy as np

from pipeline.errors import UserError
from pipeline.native.build import library_path

NOBODY: Final = 0xFFFFFFFF
COLUMNS: Final = 4

# struct login, struct day_change (native/core.h)
LOGIN: Final = np.dtype(
    [
        ("at", "<i8"),
        ("id", "<u8"),
        ("id_length", "<u4"),
        ("customer", "<u4"),
        ("day", "<i4"),
        ("engaged", "u1"),
        ("is_sound", "u1"),
        ("unused", "u1", 2),
    ]
)
DAY_CHANGE: Final = np.dtype([("measures", "<i8", 6), ("day", "<i4"), ("tier", "<u4")])

_FUNCTIONS: Final[dict[str, tuple[Any, list[Any]]]] = {  # name: (result, arguments)
    "shard_new": (c_void_p, [c_uint64, c_uint32]),
    "shard_free": (None, [c_void_p]),
    "shard_known": (c_uint32, [c_void_p]),
    "shard_add_tier": (c_uint32, [c_void_p, c_char_p, c_uint8]),
    "shard_find": (c_uint32, [c_void_p, c_char_p, c_uint32]),
    "shard_meet": (c_uint32, [c_void_p, c_char_p, c_uint32, c_char_p]),
    "shard_dormant": (c_uint32, [c_void_p, c_char_p]),
    "shard_erase": (None, [c_void_p, c_char_p, c_uint32, c_char_p]),
    "shard_tier": (c_uint32, [c_void_p, c_uint32]),
    "shard_set_tier": (None, [c_void_p, c_uint32, c_uint32]),
    "shard_find_all": (c_uint32, [c_void_p, c_char_p, c_void_p, c_uint32]),
    "shard_meet_all": (None, [c_void_p, c_char_p, c_void_p, c_uint32, c_char_p]),
    "shard_count_logins": (c_bool, [c_void_p, c_void_p, c_uint32]),
    "shard_load_login": (c_bool, [c_void_p, c_uint32, c_int32, c_bool]),
    "shard_load_engaged_before_horizon": (None, [c_void_p, c_uint32]),
    "shard_take_changes": (c_uint32, [c_void_p, POINTER(c_void_p)]),
    "shard_take_facts": (c_uint32, [c_void_p, c_void_p * COLUMNS, c_uint64 * COLUMNS]),
    "scan_field": (c_char_p, [c_uint32]),
    "scan_logins": (c_uint32, [c_char_p, c_void_p, c_char_p, c_void_p, c_uint32, c_int64, c_double, c_void_p]),
}


@cache
def library() -> Any:
    """Return the library, its functions declared.

    Raises:
        UserError: it has not been built, or this machine cannot load it.
    """
    path = library_path()
    if not path.exists():
        raise UserError("the native core has not been built", "run: make native, or set ROI_WORKER__CORE=plain")
    try:
        found = ctypes.PyDLL(str(path))
    except OSError as error:
        raise UserError(f"the native core cannot be loaded ({error})", "run: make native") from error
    for name, (result, arguments) in _FUNCTIONS.items():
        function = getattr(found, name)
        function.restype, function.argtypes = result, arguments
    return found


def is_built() -> bool:
    """Say whether the library can be used here."""
    try:
        library()
    except UserError:
        return False
    return True
