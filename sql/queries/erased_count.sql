SELECT count() AS erased FROM {database}.erasures WHERE run = {run:String}
