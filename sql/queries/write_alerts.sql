-- One step of the evaluator, whole or not at all. Refused once a claim exists that is as new, or newer (see write_block).
INSERT INTO {database}.alert_log (kind, id, alert_id, campaign_id, state, at, body, version)
SELECT kind, id, alert_id, campaign_id, state, fromUnixTimestamp64Milli(at, 'UTC'), body, version
FROM input('{structure}')
WHERE NOT throwIf(
    (SELECT count() FROM {database}.claims
     WHERE run = {run:String}
       AND epoch >= (owner = {owner:String})
           + transform(shard, [toUInt32(0)], [{epoch:UInt32}], toUInt32(4294967295))) > 0,
    'FENCED')
FORMAT Native
