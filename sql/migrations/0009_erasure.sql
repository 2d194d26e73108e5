-- Erasures: one row per erased customer, known by hash only, kind 'erased' of the ledger.
--
-- kind    id        measures
-- erased  customer  stage, touches, transactions, logins, credits, adjustments, profiles, written at ms (detail: requests)
--
-- stage: 1 begun (later events are skipped), 2 subtracted (the numbers no longer contain the customer), 3 done (the rows are
-- deleted), 4 revived (a new profile has come: later events count again). The row stays, so that replays skip the customer too.
CREATE OR REPLACE VIEW {database}.erasures AS
SELECT
    run, id AS customer_hash,
    transform(measures[1], [1, 2, 3, 4], ['begun', 'subtracted', 'done', 'revived'], 'unknown') AS state,
    measures[2] AS touches,
    measures[3] AS transactions,
    measures[4] AS logins,
    measures[5] AS credits,
    measures[6] AS adjustments,
    measures[7] AS profiles,
    splitByChar(',', detail) AS requests,
    fromUnixTimestamp64Milli(measures[8], 'UTC') AS changed_at
FROM {database}.ledger FINAL
WHERE kind = 'erased';
