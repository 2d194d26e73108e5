"""The compiled core's library: the exported functions of native/*.c as ctypes knows them, and the rows they share.

Calls keep the interpreter's lock (`PyDLL`): one takes a millisecond for a full batch, and handing the lock over beside
a busy thread would take longer than that. Loading is the exception.
"""

from __future__ import annotations

import ctypes
from ctypes import POINTER, c_bool, c_char_p, c_double, c_int32, c_int64, c_uint8, c_uint32, c_uint64, c_void_p
from functools import cache
from typing import Any, Final, get_args

import numpy as np

from pipeline.errors import UserError
from pipeline.native.build import library_path
from schemas.common import TransactionKind

NOBODY: Final = 0xFFFFFFFF
# columns of a sheet and kinds of sheets, in the order of native/core.h
SHEET_COLUMNS: Final = (
    "at",
    "lag",
    "chapter",
    "source",
    "flags",
    "measures",
    "campaign_id",
    "label",
    "id",
    "other_id",
    "model",
    "customer",
    "tier",
    "channel",
    "category",
    "product",
    "scenario",
)
SHEETS: Final = (
    "touch",
    "transaction",
    "login",
    "credit",
    "tier",
    "variant",
    "minute",
    "cohort",
    "hour",
    "day",
    "adjustment",
)
MODELS: Final = ("last_touch", "first_touch", "linear", "position", "time_decay")  # native/rules.c
HELD: Final = ("touches", "transactions", "conversions", "reach", "touch ids", "due", "reversals", "waiting", "cells")
SIZES: Final = (  # of native/sizes.c
    "customers",
    "customer ids",
    "days",
    "tables of customers",
    "accounts",
    "blocks of numbers",
    "reach",
    "conversions",
    "touches",
    "transactions",
    "reversals",
    "credits",
    "event ids",
    "times of touch ids",
    "table of touch ids",
    "table of transactions",
    "due",
    "cells",
    "rows to store",
)
TRANSACTION_KINDS: Final[tuple[str, ...]] = get_args(TransactionKind)  # the order of native/core.h


def _places(*names: str) -> list[tuple[str, str]]:
    """Return where the texts of a row stand in the texts of its batch."""
    return [(f"{name}_{part}", "<u4") for name in names for part in ("begin", "length")]


# the structures of native/core.h: what rows of every topic of the customer lane begin with, and each topic's rows
HEAD: Final = [
    ("at", "<i8"),
    *_places("customer_id"),
    ("customer", "<u4"),
    ("is_sound", "u1"),
    ("kind", "u1"),
    ("flags", "u1"),
    ("engaged", "u1"),
]
LOGIN: Final = np.dtype([*HEAD, ("day", "<i4"), ("unused", "<u4")])
TOUCH: Final = np.dtype(
    [
        *HEAD,
        ("cost_minor", "<i8"),
        *_places("event_id", "campaign_id", "variant", "channel"),
        ("arm", "<u4"),
        ("unused", "<u4"),
    ]
)
TRANSACTION: Final = np.dtype(
    [
        *HEAD,
        ("amount_minor", "<i8"),
        ("revenue_minor", "<i8"),
        ("aum_delta_minor", "<i8"),
        *_places("event_id", "channel", "product", "scenario", "reverses"),
    ]
)
QUARTER: Final = np.dtype([("number", "<i8"), ("hour", "<i8"), ("day", "<i4")], align=True)
# the structures of native/loading.c
TARGET: Final = np.dtype([("handle", "<u8"), ("floor", "<i8"), ("number", "<u4"), ("unused", "<u4")])
STOP: Final = np.dtype(
    [("consumed", "<u8"), ("at", "<i8"), ("reason", "<u4"), ("target", "<u4"), *_places("name", "variant")]
)
DAY_CHANGE: Final = np.dtype([("measures", "<i8", 6), ("day", "<i4"), ("tier", "<u4")])

_BATCH: Final = [c_void_p] * 5 + [c_uint32]  # texts; begins and lengths of keys and of values; how many records
_TEXT: Final = (c_char_p, c_uint32)  # bytes and how many
_FUNCTIONS: Final[dict[str, tuple[Any, list[Any]]]] = {  # name: (result, arguments)
    "shard_new": (c_void_p, [c_uint64, c_uint32]),
    "shard_free": (None, [c_void_p]),
    "shard_known": (c_uint32, [c_void_p]),
    "shard_add_tier": (c_uint32, [c_void_p, c_char_p, c_uint8]),
    "shard_find": (c_uint32, [c_void_p, c_char_p, c_uint32]),
    "shard_meet": (c_uint32, [c_void_p, c_char_p, c_uint32, c_char_p]),
    "shard_dormant": (c_uint32, [c_void_p, c_char_p]),
    "shard_erase": (None, [c_void_p, c_char_p, c_uint32, c_char_p]),
    "shard_set_tier": (None, [c_void_p, c_uint32, c_uint32]),
    "shard_find_all": (c_uint32, [c_void_p, c_char_p, c_void_p, c_uint32, c_uint32]),
    "shard_meet_all": (None, [c_void_p, c_char_p, c_void_p, c_uint32, c_uint32, c_char_p]),
    "shard_count_logins": (c_bool, [c_void_p, c_void_p, c_uint32]),
    "shard_load_login": (c_bool, [c_void_p, c_uint32, c_int32, c_bool]),
    "shard_take_changes": (c_uint32, [c_void_p, POINTER(c_void_p)]),
    "shard_sheet_sizes": (c_uint64, [c_void_p, c_void_p, c_void_p]),
    "shard_take_sheets": (None, [c_void_p, c_void_p]),
    "shard_set_rules": (None, [c_void_p, c_double, c_int64]),
    "shard_add_model": (None, [c_void_p, c_uint8]),
    "shard_apply_touches": (c_uint32, [c_void_p, c_char_p, c_void_p, c_void_p, c_uint32, c_uint32, c_void_p, c_void_p]),
    "shard_apply_transactions": (
        c_uint32,
        [c_void_p, c_char_p, c_void_p, c_void_p, c_uint32, c_uint32, c_void_p, c_void_p],
    ),
    "shard_drain_credits": (None, [c_void_p]),
    "shard_find_orphans": (c_uint32, [c_void_p, c_int64]),
    "shard_orphan": (c_int64, [c_void_p, c_uint32, POINTER(c_void_p), POINTER(c_uint32)]),
    "shard_forget": (None, [c_void_p, c_int64, c_int64]),
    "shard_held": (c_uint64, [c_void_p, c_uint32]),
    "shard_size": (c_uint64, [c_void_p, c_uint32]),
    "shard_forget_touch_id": (None, [c_void_p, c_char_p, c_uint32, c_int64]),
    "shard_load_reversal": (None, [c_void_p, c_uint32, c_int64, *_TEXT, *_TEXT, c_int64, c_int64]),
    "shard_define_campaign": (
        None,
        [c_void_p, c_uint32, c_int64, c_uint32, c_int64, c_int64 * len(TRANSACTION_KINDS), c_bool, c_char_p, c_uint32],
    ),
    "shard_add_campaign_product": (None, [c_void_p, c_uint32, c_char_p, c_uint32]),
    "shard_add_arm": (c_uint32, [c_void_p, c_uint32, c_bool, c_char_p, c_uint32]),
    "shard_set_control": (None, [c_void_p, c_uint32, c_bool]),
    "shard_find_arms": (c_uint32, [c_void_p, c_char_p, c_void_p, c_uint32]),
    "shard_add_label": (None, [c_void_p, c_char_p, c_uint32]),
    "shard_add_quarters": (None, [c_void_p, c_void_p, c_uint32]),
    "shard_open_chapter": (None, [c_void_p, c_uint64]),
    "shard_drain_cells": (None, [c_void_p, c_uint64]),
    "shard_forget_idle": (None, [c_void_p, c_uint64]),
    "load_rows": (None, [c_void_p, c_uint32, c_uint32, c_char_p, c_uint64, c_uint64, c_void_p]),
    "load_conversions": (None, [c_void_p]),
    "scan_field": (c_char_p, [c_uint32, c_uint32]),
    "scan_kind": (c_char_p, [c_uint32, c_uint32]),
    "scan_row_size": (c_uint32, [c_uint32]),
    "scan_logins": (c_uint32, [*_BATCH, c_int64, c_double, c_void_p]),
    "scan_touches": (c_uint32, [*_BATCH, c_int64, c_char_p, c_void_p]),
    "scan_transactions": (c_uint32, [*_BATCH, c_int64, c_char_p, c_void_p]),
    "batch_misplaced": (c_uint32, [c_char_p, c_void_p, c_uint32, c_uint32, c_uint32]),
    "batch_records": (c_uint32, [c_char_p, c_uint64, c_char_p, c_void_p]),
    "plain_count": (c_uint32, [c_char_p, c_uint64, c_void_p, c_uint32]),
    "plain_records": (c_uint32, [c_char_p, c_uint64, c_void_p, c_bool, c_uint32, c_void_p]),
    "compressed_batches": (c_uint32, [c_char_p, c_uint64, c_void_p, c_bool, c_uint32, c_uint32, c_void_p]),
    "compressed_records": (c_uint32, [c_char_p, c_uint64, c_void_p, c_char_p, c_void_p, c_uint32, c_uint32, c_void_p]),
    "unpack_frames": (
        c_uint32,
        [c_void_p, c_void_p, c_void_p, c_char_p, c_void_p, c_uint32, c_void_p, c_uint64, c_void_p],
    ),
    "crc32c": (c_uint32, [c_char_p, c_uint64, c_bool]),
}


_LONG: Final = frozenset({"load_rows", "unpack_frames"})  # other threads read on meanwhile


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
    unlocked = ctypes.CDLL(str(path))
    for name, (result, arguments) in _FUNCTIONS.items():
        function = getattr(unlocked if name in _LONG else found, name)
        setattr(found, name, function)
        function.restype, function.argtypes = result, arguments
    return found


def is_built() -> bool:
    """Say whether the library can be used here."""
    try:
        library()
    except UserError:
        return False
    return True
