"""Simulated customers: a number is a customer, and everything about it follows from the number."""

from __future__ import annotations

from typing import Final

_TIERS: Final = ((0.05, "growth"), (0.20, "cultivation"), (0.50, "potential"), (1.0, "general"))
_SEGMENTS: Final = ("young", "family", "senior", "business")
_UNTARGETED_EVERY: Final = 10
_GOLDEN: Final = 0x9E3779B1  # Fibonacci hashing spreads neighbouring numbers over 32 bits


def customer_id(number: int) -> str:
    """Return the customer's id."""
    return f"cust-{number:07d}"


def profile(number: int, customers: int) -> bytes:
    """Return the `Customer` event body; low numbers are the more valuable tiers."""
    tier = next(name for share, name in _TIERS if number < share * customers or share == 1.0)
    segment = _SEGMENTS[_spread(number, 7) % len(_SEGMENTS)]
    opened = f"20{10 + number % 15}-{1 + number % 12:02d}-{1 + number % 28:02d}T09:00:00.000+08:00"
    return (
        f'{{"customer_id":"{customer_id(number)}","tier":"{tier}","segment":"{segment}","opened_at":"{opened}"}}'
    ).encode()


def active_customer(draw: float, customers: int) -> int:
    """Return a customer for a uniform draw from [0, 1), low numbers more often."""
    return int(customers * draw * draw)


def targeted_customer(draw: float, customers: int) -> int:
    """Return a customer that campaigns may reach, each equally often."""
    number = int(customers * draw)
    return number - 1 if number % _UNTARGETED_EVERY == _UNTARGETED_EVERY - 1 else number


def untargeted_customer(draw: float, customers: int) -> int | None:
    """Return a customer that no campaign ever reaches; None where there are too few customers to have one."""
    groups = customers // _UNTARGETED_EVERY
    return int(groups * draw) * _UNTARGETED_EVERY + _UNTARGETED_EVERY - 1 if groups else None


def share_of(number: int, salt: int) -> float:
    """Return a number in [0, 1) that is always the same for one customer and salt: who is in which variant."""
    return _spread(number, salt) / 4096


def _spread(number: int, salt: int) -> int:
    mixed = ((number + 1) * _GOLDEN + salt * 0x85EBCA6B) & 0xFFFFFFFF
    mixed = ((mixed ^ (mixed >> 15)) * 0x2C1B3C6D) & 0xFFFFFFFF
    return (mixed ^ (mixed >> 12)) & 4095
