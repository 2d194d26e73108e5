-- The credits under each model, as the view of 0047 showed them, and whether that one decides.
CREATE OR REPLACE VIEW {database}.model_credits AS
SELECT
    run, transaction_event_id, touch_event_id, campaign_id, variant, models[place] AS model, toUInt8(place = 1) AS decides,
    customer_hash, tier,
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

-- The credits that make up the totals: one row for a transaction and a touch, whatever models inform beside the first.
CREATE OR REPLACE VIEW {database}.credits AS
SELECT * EXCEPT (decides)
FROM {database}.model_credits
WHERE decides;
