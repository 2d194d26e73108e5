INSERT INTO {database}.alert_leases (epoch, owner, beat, body)
SELECT {epoch:UInt32}, {owner:String}, {beat:UInt64}, {body:String}
