SELECT DISTINCT topic, partition FROM {database}.log_faults WHERE run = {run:String} AND fault = 'recreated'

