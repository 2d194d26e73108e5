INSERT INTO {database}.log_faults (run, topic, partition, fault, next_offset, log_start, log_end)
SELECT
    {run:String}, {topic:String}, {partition:UInt32}, {fault:String},
    {next_offset:Int64}, {log_start:Int64}, {log_end:Int64}
