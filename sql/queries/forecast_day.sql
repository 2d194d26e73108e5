SELECT toString(as_of) AS as_of FROM {database}.run_days WHERE run = {run:String}
