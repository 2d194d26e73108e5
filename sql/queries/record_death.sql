-- A worker that ends by a fault of its own says so, for those that look from outside.
INSERT INTO {database}.worker_deaths (run, host, owner, cause)
VALUES ({run:String}, {host:String}, {owner:String}, {cause:String})
