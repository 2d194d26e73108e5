SELECT DISTINCT owner AS value, owner AS text FROM run_plans WHERE run = ${run:singlequote} AND owner != '' ORDER BY value
