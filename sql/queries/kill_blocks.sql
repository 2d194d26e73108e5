KILL QUERY WHERE arrayExists(owner -> startsWith(query_id, concat('roi-block-', owner, '-')), {owners:Array(String)}) SYNC
