-- What every attribution model gives a touch of a transaction stands in one row of the ledger: five numbers a model, in the order of
-- runs.models (millionths, return, aum, touched_at ms, share before reversals), zeros where a model gives nothing. There was a row
-- for each model; five models cost the engine five times as many rows, which was most of what they cost.

-- A worker of an older program would write rows of its own beside them. As in 0020 its blocks are refused from here on.
ALTER TABLE {database}.ledger
    ADD CONSTRAINT IF NOT EXISTS written_by_a_program_with_one_row_a_credit CHECK kind != 'position' OR measures[7] >= 3;
KILL QUERY WHERE startsWith(query_id, 'roi-block-') SYNC;

-- The rows of all models as one, in the place of the deciding model's: of rows with one key and version the later one counts. Broken
-- off and run again it gives the same rows: what is still there in a row of its own wins, the rest has been taken over.
INSERT INTO {database}.ledger
    (run, kind, shard, campaign_id, label, at, id, other_id, customer, tier, category, measures, version)
SELECT
    run, 'credit', shard, campaign_id, label, at, id, other_id, customer, tier, category,
    arrayFlatten(own),
    version
FROM (
    SELECT
        told.run AS run, shard, campaign_id, label, at, id, other_id, customer, tier, category, version,
        arrayMap(row -> (row.1, if(length(row.2) = 4, arrayPushBack(row.2, row.2[1]), row.2)), rows) AS whole,
        arrayFirst(row -> row.1 = '', whole).2 AS joined,
        arrayMap(
            (name, place) -> if(
                place > 1 AND arrayExists(row -> row.1 = name, whole),
                arrayFirst(row -> row.1 = name, whole).2,
                arrayResize(arraySlice(joined, 5 * place - 4, 5), 5)
            ),
            models, arrayEnumerate(models)
        ) AS own
    FROM (
        SELECT
            run, shard, campaign_id, label, at, id, other_id,
            any(ledger.customer) AS customer, any(ledger.tier) AS tier, any(ledger.category) AS category,
            groupArray((toString(model), measures)) AS rows, max(ledger.version) AS version
        FROM {database}.ledger FINAL
        WHERE kind = 'credit' AND run IN (SELECT run FROM {database}.ledger WHERE kind = 'credit' AND model != '')
        GROUP BY run, shard, campaign_id, label, at, id, other_id
    ) AS told
    INNER JOIN (SELECT run, models FROM {database}.runs FINAL) AS known ON told.run = known.run
)
SETTINGS max_bytes_before_external_group_by = 1000000000;

ALTER TABLE {database}.ledger DELETE WHERE kind = 'credit' AND model != '' SETTINGS mutations_sync = 2;

-- Every credit in force: the evidence behind each conversion. As it was (0002).
CREATE OR REPLACE VIEW {database}.credits AS
SELECT
    run, transaction_event_id, touch_event_id, campaign_id, variant, models[place] AS model, customer_hash, tier,
    standing[5 * place - 4] AS credit_millionths,
    standing[5 * place - 3] AS return_minor,
    standing[5 * place - 2] AS aum_minor,
    fromUnixTimestamp64Milli(standing[5 * place - 1], 'UTC') AS touched_at,
    converted_at
FROM (
    SELECT
        ledger.run AS run,
        ledger.id AS transaction_event_id,
        ledger.other_id AS touch_event_id,
        ledger.campaign_id AS campaign_id,
        ledger.label AS variant,
        ledger.customer AS customer_hash,
        ledger.tier AS tier,
        ledger.measures AS standing,
        runs.models AS models,
        fromUnixTimestamp64Milli(ledger.at, 'UTC') AS converted_at
    FROM {database}.ledger FINAL
    LEFT JOIN {database}.runs FINAL ON ledger.run = runs.run
    WHERE ledger.kind = 'credit' AND ledger.model = ''
)
ARRAY JOIN range(1, 1 + greatest(1, intDiv(length(standing), 5))) AS place
WHERE credit_millionths != 0;
