"""The mean value of a converter, as the campaign's own customers and its peers' shape let estimate it. Pure.

Steps 3, 4, 9 and 10 of rule C13. Level from the campaign, distance between level and mean from the peers, shape drawn
from the peers' to the campaign's own as far as it has customers or clearly differs.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from pipeline.alerts.statistics import POWERS
from pipeline.alerts.values import MIN_VARIANCE

if TYPE_CHECKING:
    from pipeline.alerts.learning import PeerLibrary
    from pipeline.alerts.statistics import Floats, Integers, Statistics
    from pipeline.alerts.values import ValueShape

MARGIN: Final = 0.5
"""Standard errors of δ that the estimate leans to the campaign's side."""
MIN_OWN_SHAPE: Final = 10
"""Converters from which a campaign's own shape is held against the peers'."""
LIGHT_TAIL: Final = 0.6
"""Without peers: own squared variation below this share of the log variance means a light tail, and p = 1."""
HALF: Final = POWERS.index(0.5)
PLAIN: Final = POWERS.index(1.0)


@dataclass(frozen=True, slots=True)
class Levels:
    """Estimates of ``B`` rows.

    Attributes:
        converters: (B,) n.
        effective: (B,) n_e: as many equal converters would tell as much.
        log_mean: (B,) û, log of the mean value per effective converter, leaning to the campaign's side.
        centre: (B,) the same without that margin.
        noise: (B,) σe², variance of û per effective converter.
        unlike: (B,) z_s, by how many standard errors the own spread of values is beyond the peers'.
    """

    converters: Floats
    effective: Floats
    log_mean: Floats
    centre: Floats
    noise: Floats
    unlike: Floats


class _Shape(NamedTuple):
    """A value shape as numbers of a row; fields are columns once gathered."""

    power: float
    position: float
    noise: float
    distance: float
    error: float
    log_variance: float
    kurtosis: float
    prior_customers: float
    cold: float


def levels_of(statistics: Statistics, libraries: tuple[PeerLibrary, ...], which: Integers) -> Levels:
    """Return the levels of every row; ``which`` (B,) names its library."""
    kinds, kind = _kinds(statistics, which)
    counts = statistics.product_converters
    present = counts > 0
    several = present.sum(axis=1) > 1
    names = [(libraries[library], products) for library, products in kinds]
    told_apart = np.array([[name in library.products for name in products] for library, products in names], dtype=bool)
    stratified = several & ~(present & ~told_apart[kind].reshape(counts.shape)).any(axis=1)
    width = counts.shape[1]
    column = np.where(several, width, counts.argmax(axis=1)) if width else np.zeros(len(counts), dtype=np.int64)
    pooled = _pooled(statistics, _shapes(names, kind, column))
    if not stratified.any():
        return pooled
    rows = np.flatnonzero(stratified)
    strata = _strata(statistics, names, kind[rows], rows)
    for one in fields(Levels):
        getattr(pooled, one.name)[rows] = getattr(strata, one.name)
    return pooled


def _kinds(statistics: Statistics, which: Integers) -> tuple[list[tuple[int, tuple[str, ...]]], Integers]:
    """Return the distinct (library, product names) and which of them each row has."""
    numbers: dict[tuple[int, tuple[str, ...]], int] = {}
    kind = [numbers.setdefault(key, len(numbers)) for key in zip(which.tolist(), statistics.products, strict=True)]
    return list(numbers), np.array(kind, dtype=np.int64)


def _shapes(names: list[tuple[PeerLibrary, tuple[str, ...]]], kind: Integers, column: Integers) -> _Shape:
    """Return the shape that each row's values are held against: its one product's own, else that of all products."""
    tables = []
    for library, products in names:
        own = [library.products[name].shape if name in library.products else library.shape for name in products]
        tables.append([_row(shape, library) for shape in (*own, library.shape)])
    table = np.array(tables, dtype=np.float64)
    return _Shape(*np.moveaxis(table[kind, column], -1, 0))


def _row(shape: ValueShape, library: PeerLibrary) -> _Shape:
    index = HALF if not library.campaigns else shape.power
    spread = max(shape.shape_spread, 1e-3) if library.campaigns not in {1, 2} else 0.02
    return _Shape(
        power=POWERS[index],
        position=index,
        noise=shape.noise[index],
        distance=shape.distance[index],
        error=shape.error[index],
        log_variance=shape.log_variance,
        kurtosis=shape.kurtosis,
        prior_customers=2 / spread,
        cold=float(not library.campaigns),
    )


def _pooled(statistics: Statistics, shape: _Shape) -> Levels:
    """Return steps 3 and 4 for rows whose customers count as of one product."""
    count = statistics.product_converters.sum(axis=1)
    sums, squares = statistics.sums.sum(axis=1), statistics.squares.sum(axis=1)
    known = np.maximum(count, 1.0)
    freedom = np.maximum(count - 1, 1.0)
    rows = np.arange(len(count))
    own_log = np.maximum(squares[:, 0] - sums[:, 0] ** 2 / known, 0) / freedom
    mean = sums[:, PLAIN] / known
    own_plain = np.maximum(squares[:, PLAIN] / known - mean**2, 0) * known / freedom / np.maximum(mean, 1e-9) ** 2
    light = (shape.cold > 0) & (own_plain < LIGHT_TAIL * own_log) & (count >= MIN_OWN_SHAPE)
    index = np.where(light, PLAIN, shape.position).astype(np.int64)
    power = np.where(light, 1.0, shape.power)
    noise = np.where(light, own_plain, shape.noise)
    distance, error = np.where(light, 0.0, shape.distance), np.where(light, 0.0, shape.error)
    first, second = sums[rows, index] / known, squares[rows, index] / known
    exponent = np.where(power > 0, power, 1.0)
    own_bent = np.maximum(second - first**2, 0) * known / freedom / (exponent * np.maximum(first, 1e-9)) ** 2
    own_noise = np.where(power > 0, own_bent, own_log)
    middle = np.where(power > 0, np.log(np.maximum(first, 1e-9)) / exponent, first)
    compared = (count >= MIN_OWN_SHAPE) & (power < 1)
    beyond = (own_log / shape.log_variance - 1) * np.sqrt(freedom / np.maximum(shape.kurtosis - 1, 0.5))
    unlike = np.where(compared, beyond, 0.0)
    prior = count / (count + shape.prior_customers)
    weight = np.where(count > 2, prior + (1 - prior) * np.clip(unlike - 0.5, 0, 1), 0.0)
    variance = (1 - weight) * shape.log_variance + weight * own_log
    noise = (1 - weight) * noise + weight * own_noise
    centre = middle + noise * power / (2 * known) + distance + (1 - power) * (variance - shape.log_variance) / 2
    shape_error = ((1 - power) * weight * variance) ** 2 * (np.maximum(shape.kurtosis, 2) - 1) / 4
    total_noise = noise + shape_error + weight * power * (1 - power) * variance**2
    return Levels(count, count.copy(), centre + MARGIN * error, centre, np.maximum(total_noise, 1e-3), unlike)


def _strata(
    statistics: Statistics, names: list[tuple[PeerLibrary, tuple[str, ...]]], kind: Integers, rows: Integers
) -> Levels:
    """Return step 9 for rows that sell several products: one level, the products' distances from it by the peers."""
    table = np.zeros((len(names), statistics.product_converters.shape[1], 5))
    for place, (library, products) in enumerate(names):
        for column, name in enumerate(products):
            if (known := library.products.get(name)) is not None:
                shape = known.shape
                table[place, column] = (
                    known.level,
                    shape.distance[0],
                    shape.error[0],
                    shape.log_variance,
                    known.spread,
                )
    relative, distance, error, variance, spread = np.moveaxis(table[kind], -1, 0)
    count = statistics.product_converters[rows]
    total = count.sum(axis=1)
    level = (statistics.sums[rows][:, :, 0] - count * relative).sum(axis=1) / total
    # values over the largest of them, so that no square overflows
    logs = level[:, None] + relative + distance + MARGIN * error
    largest = logs.max(axis=1)
    money = count * np.exp(logs - largest[:, None])
    returned = money.sum(axis=1)
    effective = returned**2 / (money * np.exp(logs - largest[:, None])).sum(axis=1)
    share = money / returned[:, None] - count / total[:, None]
    noise = (count * variance).sum(axis=1) / total**2 + (share**2 * spread).sum(axis=1)
    log_mean = np.log(returned / effective) + largest
    margin = (money * MARGIN * error).sum(axis=1) / returned
    return Levels(
        total, effective, log_mean, log_mean - margin, np.maximum(effective * noise, MIN_VARIANCE), np.zeros(len(rows))
    )
