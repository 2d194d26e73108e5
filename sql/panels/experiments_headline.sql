SELECT
    uniqExact(campaign_id) AS experiments,
    countIf(decision = 'better') AS better,
    countIf(decision = 'worse') AS worse,
    countIf(decision = 'no_difference') AS no_difference,
    countIf(decision = 'too_early') AS too_early,
    countIf(decision = 'invalid') AS invalid,
    max(as_of) AS as_of
FROM ab_results
WHERE run = ${run:singlequote} AND $__conditionalAll(campaign_id IN (${campaign:singlequote}), $campaign)
    AND NOT is_control
HAVING experiments > 0
