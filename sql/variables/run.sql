SELECT run AS value, if(state IN ('live', 'complete', 'unknown'), run, concat(run, ' (', state, ')')) AS text
FROM run_states
ORDER BY run != 'live', began_at DESC
