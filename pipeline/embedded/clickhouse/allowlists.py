"""The names access is decided by. A test holds them against the engine: what chDB adds must be sorted in here first."""

from __future__ import annotations

import re
from typing import Final

READER_VERBS: Final = frozenset({"SELECT", "SHOW", "DESCRIBE", "DESC", "EXPLAIN", "EXISTS", "USE", "SET"})
WRITER_VERBS: Final = READER_VERBS | {
    "INSERT", "WITH INSERT", "CREATE", "ALTER", "DROP", "TRUNCATE", "RENAME", "EXCHANGE", "OPTIMIZE", "DELETE",
    "UPDATE", "UNDROP", "CHECK", "KILL", "SYSTEM",
}

# What CREATE, DROP, … may name; the modifiers may stand before it.
KIND_MODIFIERS: Final = frozenset({
    "OR", "REPLACE", "TEMPORARY", "MATERIALIZED", "IF", "EXISTS", "TABLES", "ALL", "FROM",
})
WRITABLE_KINDS: Final = frozenset({"TABLE", "VIEW", "DATABASE"})
SYSTEM_COMMANDS: Final = (
    ("FLUSH", "LOGS"), ("STOP", "MERGES"), ("START", "MERGES"), ("STOP", "TTL"), ("START", "TTL"), ("REFRESH", "VIEW"),
    ("WAIT", "VIEW"), ("STOP", "VIEW"), ("START", "VIEW"), ("STOP", "VIEWS"), ("START", "VIEWS"), ("DROP", "MARK"),
    ("DROP", "UNCOMPRESSED"),
)

# They read files, run SQL from strings or call other hosts, and need no parentheses to do it (SELECT * APPLY file).
FORBIDDEN_FUNCTIONS: Final = frozenset({
    "aiclassify", "aiembed", "aiextract", "aifilter", "aigenerate", "airedact", "aisimilarity", "aitranslate",
    "catboostevaluate", "file", "fuzzquery", "hascolumnintable",
})
SAFE_TABLE_FUNCTIONS: Final = frozenset({
    "format", "generate_series", "generaterandom", "generateseries", "null", "numbers", "numbers_mt", "primes",
    "sqlstandardvalues", "values", "view", "viewifpermitted", "zeros", "zeros_mt",
})
FORBIDDEN_TABLE_FUNCTIONS: Final = frozenset({
    "arrowstream", "azureblobstorage", "azureblobstoragecluster", "bigquery", "cluster", "clusterallreplicas",
    "cosn", "deltalake", "deltalakeazure", "deltalakeazurecluster", "deltalakecluster", "deltalakelocal",
    "deltalakes3", "deltalakes3cluster", "dictionary", "disk", "eval", "executable", "file", "filecluster",
    "filesystem", "fuzzjson", "fuzzquery", "gcs", "hdfs", "hdfscluster", "hudi", "hudicluster", "iceberg",
    "icebergazure", "icebergazurecluster", "icebergcluster", "iceberghdfs", "iceberghdfscluster", "iceberglocal",
    "iceberglocalcluster", "icebergs3", "icebergs3cluster", "input", "jdbc", "loop", "merge",
    "mergetreeanalyzeindexes", "mergetreeanalyzeindexesuuid", "mergetreecodecblockcounts", "mergetreeindex",
    "mergetreeprojection", "mergetreetextindex", "mongodb", "mysql", "odbc", "oss", "paimon", "paimonazure",
    "paimonazurecluster", "paimoncluster", "paimonhdfs", "paimonhdfscluster", "paimonlocal", "paimons3",
    "paimons3cluster", "postgresql", "prometheusquery", "prometheusqueryrange", "python", "redis", "remote",
    "remotesecure", "s3", "s3cluster", "sqlite", "timeseriesdata", "timeseriesmetricfamilies", "timeseriesmetrics",
    "timeseriessamples", "timeseriesselector", "timeseriestags", "url", "urlcluster", "viewexplain", "ytsaurus",
})

SAFE_ENGINES: Final = frozenset({
    "aggregatingmergetree", "alias", "buffer", "coalescingmergetree", "collapsingmergetree", "graphitemergetree",
    "join", "log", "materializedview", "memory", "mergetree", "null", "replacingmergetree", "set", "stripelog",
    "summingmergetree", "tinylog", "versionedcollapsingmergetree", "view",
})
FORBIDDEN_ENGINES: Final = frozenset({
    "arrowstream", "azureblobstorage", "azurequeue", "backup", "bigquery", "cosn", "datalakecatalog", "deltalake",
    "deltalakeazure", "deltalakelocal", "deltalakes3", "dictionary", "distributed", "embeddedrocksdb", "executable",
    "executablepool", "file", "filelog", "filesystem", "fuzzjson", "fuzzquery", "gcs", "generaterandom", "hdfs",
    "hudi", "iceberg", "icebergazure", "iceberghdfs", "iceberglocal", "icebergs3", "jdbc", "kafka", "keepermap",
    "lazy", "loop", "materializedmysql", "materializedpostgresql", "merge", "mongodb", "mysql", "nats", "odbc",
    "oss", "overlay", "paimon", "paimonazure", "paimonhdfs", "paimonlocal", "paimons3", "postgresql", "python",
    "queryrunner", "rabbitmq", "redis", "remote", "remotesecure", "replicatedaggregatingmergetree",
    "replicatedcoalescingmergetree", "replicatedcollapsingmergetree", "replicatedgraphitemergetree",
    "replicatedmergetree", "replicatedreplacingmergetree", "replicatedsummingmergetree",
    "replicatedversionedcollapsingmergetree", "s3", "s3queue", "sqlite", "timeseries", "url", "ytsaurus",
})

# Settings that name files or hosts, carry SQL, change the parser this package mirrors, or lift a wall.
FORBIDDEN_SETTINGS: Final = re.compile(
    r"^(?:readonly|allow_ddl|allow_introspection_functions|filter|url_base|profile|output_format_schema"
    r"|additional_result_filter|rename_files_after_processing|implicit_select|implicit_table_at_top_level)$"
    r"|dialect|custom_key|errors_file|experimental_eval|sql_security"
    r"|^(?:format_schema|format_template|format_avro_schema_registry|s3|azure|hdfs|iceberg|delta_lake|paimon|ai_|http_allow"
    r"|backup|jemalloc|allow_experimental_ai|allow_experimental_database|storage_file)",
)

# Tables of `system` that show credentials, users, files or others' queries; the rest describes the database only.
SENSITIVE_SYSTEM_TABLES: Final = frozenset({
    "asynchronous_inserts", "azure_queue_metadata", "azure_queue_metadata_cache", "azure_queue_settings", "backups",
    "certificates", "fail_points", "filesystem_cache", "filesystem_cache_settings", "grants", "handlers",
    "iceberg_files", "iceberg_history", "jemalloc_profile_text", "jemalloc_sampled_allocations", "masking_policies",
    "named_collections", "query_cache", "query_log", "quota_limits", "quota_usage", "quotas", "quotas_usage",
    "remote_data_paths", "role_grants", "roles", "row_policies", "s3_queue_metadata", "s3_queue_settings",
    "s3queue_metadata_cache", "schema_inference_cache", "server_settings", "session_log", "session_query_ids",
    "settings_profile_elements", "settings_profiles", "stack_trace", "statements", "symbols", "text_log", "unicode",
    "user_directories", "user_processes", "user_query_log", "users",
})
SAFE_SYSTEM_TABLES: Final = frozenset({
    "aggregate_function_combinators", "asynchronous_loader", "background_schedule_pool", "build_options",
    "clusters", "codecs", "collations", "columns", "completions", "constraints", "contributors", "current_roles",
    "dashboards", "data_skipping_index_types", "data_skipping_indices", "data_type_families", "database_engines",
    "database_replicas", "databases", "detached_parts", "detached_tables", "dictionaries", "dictionary_layouts",
    "dictionary_sources", "dimensional_metrics", "disk_types", "disks", "distributed_ddl_queue",
    "distribution_queue", "dns_cache", "documentation", "dropped_tables", "dropped_tables_parts", "enabled_roles",
    "errors", "events", "formats", "functions", "graphite_retentions", "histogram_metrics", "hypothetical_indexes",
    "hypothetical_projections", "jemalloc_arena_bins", "jemalloc_bins", "jemalloc_stats", "kafka_consumers",
    "keywords", "licenses", "macros", "merge_tree_settings", "merges", "metrics", "moves", "mutations", "numbers",
    "numbers_mt", "one", "part_moves_between_shards", "parts", "parts_columns", "primes", "privileges", "processes",
    "projection_parts", "projection_parts_columns", "projections", "query_condition_cache", "replicas",
    "replicated_fetches", "replicated_merge_tree_settings", "replication_queue", "resources", "rocksdb",
    "scheduler", "settings", "settings_changes", "storage_policies", "table_engines", "table_functions", "tables",
    "time_zones", "tokenizers", "user_defined_functions", "view_refreshes", "warnings", "workloads", "zeros",
    "zeros_mt",
})
