-- The event view by hour and by business day: boards over weeks need not add up every minute.
--
-- kind  campaign_id  at                                                  id        other_id  measures
-- hour  ''           epoch second at which the hour began                campaign  part      as minute
-- day   campaign     business day (days since 1970-01-01)                part                as minute
--
-- An hour is one on the clock of the run's zone: a business day is made of whole hours, also where that clock is half an hour
-- beside UTC; an hour that the clock shows twice is two. Hours are stored by time first, the campaign in `id`, so that a short
-- range of all campaigns lies together, and in seconds, so that a condition on the view's column `hour` reaches the sorting
-- key. (part: see 0012.) Workers write both from the changes of the minutes, in the same block (pipeline/state/chapters.py).

-- A worker of an older program would leave hours and days out. From here on a block is refused whole unless its positions
-- name a form (their seventh measure, pipeline/ledger/rows.py) that keeps them. Such a worker goes on holding its block, says
-- so (/healthz), and loses nothing: the worker that replaces it reads those records again. Claims of a higher epoch would not
-- do: whoever is fenced claims again.
ALTER TABLE {database}.ledger
    ADD CONSTRAINT IF NOT EXISTS written_by_a_program_that_keeps_hours_and_days CHECK kind != 'position' OR measures[7] >= 2;
-- blocks that have been let in before are in the ledger, or never will be
KILL QUERY WHERE startsWith(query_id, 'roi-block-') SYNC;

-- What minutes hold and hours and days do not yet, as chapter 0. One scan sees each block whole or not at all, so workers of
-- this program may be writing; and run again it gives the same rows.
INSERT INTO {database}.ledger (run, kind, shard, campaign_id, at, id, other_id, model, chapter, measures, version)
SELECT
    run, span.1, shard, if(span.1 = 'day', campaign, ''), span.2,
    if(span.1 = 'day', part, campaign), if(span.1 = 'day', '', part), model, 0,
    arrayMap(total -> toInt64(intDiv(total - positiveModulo(total, parts), parts)
                              + (number < positiveModulo(total, parts))), totals),
    0
FROM (
    SELECT
        run, shard, model, campaign, span, totals, toInt128(parts_needed) AS parts,
        number, if(number = 0, '', toString(number)) AS part
    FROM (
        SELECT
            run, shard, model, campaign, span,
            [sum(sign * measures[1]), sum(sign * measures[2]), sum(sign * measures[3]), sum(sign * measures[4]),
             sum(sign * measures[5]), sum(sign * measures[6]), sum(sign * measures[7])] AS totals,
            toUInt32(1 + intDiv(arrayMax(arrayMap(total -> abs(total), totals)), 4611686018427387904)) AS parts_needed
        FROM (
            SELECT
                cell.run AS run, cell.shard AS shard, toString(cell.model) AS model, cell.measures AS measures,
                toInt128(if(cell.kind = 'minute', 1, -1)) AS sign,
                if(cell.kind = 'hour', cell.id, toString(cell.campaign_id)) AS campaign,
                cell.at - positiveModulo(cell.at, 15) AS quarter,
                -- beyond the years that DateTime64 knows the zone does not matter: all of them stand under one day
                quarter BETWEEN -36816000 AND 173500000 AS near,
                fromUnixTimestamp64Milli(if(near, quarter, 0) * 60000, 'UTC') AS instant,
                if(near, formatDateTime(instant, '%i%S', zones.zone), '0000') AS clock,
                if(near, dateDiff('day', toDate32('1970-01-01'), toDate32(formatDateTime(instant, '%F', zones.zone))),
                   intDiv(quarter - positiveModulo(quarter, 1440), 1440)) AS day,
                if(near, quarter * 60 - toInt64(substring(clock, 1, 2)) * 60 - toInt64(substring(clock, 3, 2)),
                   quarter * 60 - positiveModulo(quarter * 60, 3600)) AS hour,
                if(cell.kind = 'minute', [('hour', hour), ('day', day)], [(toString(cell.kind), cell.at)]) AS spans
            FROM (
                SELECT run, kind, shard, campaign_id, at, id, model, measures
                FROM {database}.ledger FINAL
                WHERE kind = 'minute' OR kind IN ('hour', 'day') AND chapter != 0
            ) AS cell
            INNER JOIN (SELECT run, zone FROM {database}.runs FINAL) AS zones ON cell.run = zones.run
        )
        ARRAY JOIN spans AS span
        GROUP BY run, shard, model, campaign, span
    )
    ARRAY JOIN range(parts_needed) AS number
)
WHERE arrayExists(total -> total != 0, totals);

CREATE OR REPLACE VIEW {database}.campaign_hours AS
SELECT
    run, campaign_id, hour,
    touches, new_reached, millionths / 1000000 AS conversions, new_converters, cost_minor, return_minor, aum_minor
FROM (
    SELECT
        run, id AS campaign_id, toDateTime(at, 'UTC') AS hour,
        sum(measures[1]) AS touches,
        sum(measures[2]) AS new_reached,
        sum(measures[3]) AS millionths,
        sum(measures[4]) AS new_converters,
        sum(toInt128(measures[5])) AS cost_minor,
        sum(toInt128(measures[6])) AS return_minor,
        sum(toInt128(measures[7])) AS aum_minor
    FROM {database}.ledger FINAL
    WHERE kind = 'hour' AND model = ''
    GROUP BY run, campaign_id, hour
)
WHERE touches != 0 OR new_reached != 0 OR millionths != 0 OR new_converters != 0 OR cost_minor != 0
    OR return_minor != 0 OR aum_minor != 0;

CREATE OR REPLACE VIEW {database}.campaign_days AS
SELECT
    run, campaign_id, day,
    touches, new_reached, millionths / 1000000 AS conversions, new_converters, cost_minor, return_minor, aum_minor
FROM (
    SELECT
        run, campaign_id, toDate(toInt32(greatest(0, least(at, 65535)))) AS day,
        sum(measures[1]) AS touches,
        sum(measures[2]) AS new_reached,
        sum(measures[3]) AS millionths,
        sum(measures[4]) AS new_converters,
        sum(toInt128(measures[5])) AS cost_minor,
        sum(toInt128(measures[6])) AS return_minor,
        sum(toInt128(measures[7])) AS aum_minor
    FROM {database}.ledger FINAL
    WHERE kind = 'day' AND model = ''
    GROUP BY run, campaign_id, day
)
WHERE touches != 0 OR new_reached != 0 OR millionths != 0 OR new_converters != 0 OR cost_minor != 0
    OR return_minor != 0 OR aum_minor != 0;
