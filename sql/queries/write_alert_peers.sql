INSERT INTO {database}.alert_peers (product, source, campaigns, customers, body, version)
SELECT {product:String}, {source:String}, {campaigns:UInt32}, {customers:UInt64}, {body:String},
    (SELECT max(version) + 1 FROM {database}.alert_peers)
