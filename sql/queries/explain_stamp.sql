-- changes with every block of the run
SELECT sum(next_offset) AS offsets, toString(max(written_at)) AS written_at FROM {database}.positions
WHERE run = {run:String}
