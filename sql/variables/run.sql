SELECT run AS value, run AS text FROM runs FINAL ORDER BY run != 'live', begun_at DESC
