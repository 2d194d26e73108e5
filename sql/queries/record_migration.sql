INSERT INTO {database}.migrations (name, digest) SELECT {name:String}, {digest:String}
