-- attempts of this owner's blocks that still run: one that was given up but not over could bring deleted rows back
SELECT count() FROM system.processes
WHERE startsWith(query_id, concat('roi-block-', {owner:String}, '-'))
FORMAT JSONCompactEachRow
