CREATE TABLE {database}.migrating (at DateTime64(3, 'UTC') DEFAULT now64(3))
ENGINE = MergeTree
ORDER BY at
COMMENT '{holder}'
