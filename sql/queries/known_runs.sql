SELECT run FROM {database}.run_states ORDER BY run != 'live', began_at DESC, run
