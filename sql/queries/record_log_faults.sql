INSERT INTO {database}.log_faults (run, topic, partition, fault, next_offset, log_start, log_end)
SELECT {run:String}, found.1, found.2, found.3, found.4, found.5, found.6
FROM
(
    SELECT arrayJoin(arrayZip(
        {topics:Array(String)}, {partitions:Array(UInt32)}, {faults:Array(String)},
        {next_offsets:Array(Int64)}, {log_starts:Array(Int64)}, {log_ends:Array(Int64)}
    )) AS found
)
