import java.sql.*;
import java.util.*;
import java.util.concurrent.*;

/** Exercises the endpoint with ClickHouse's JDBC driver as it comes. One line per check: "ok NAME" or "FAIL NAME: reason". */
public final class EndpointCheck {
    private interface Check {
        void run() throws Exception;
    }

    private static boolean failed;

    private static void check(String name, Check check) {
        try {
            check.run();
            System.out.println("ok " + name);
        } catch (Throwable error) {
            failed = true;
            System.out.println("FAIL " + name + ": " + String.valueOf(error).replace('\n', ' '));
        }
    }

    private static void equal(Object got, Object wanted) {
        if (!Objects.equals(got, wanted)) throw new AssertionError("got " + got + ", want " + wanted);
    }

    private static Connection connect(String user, String more) throws SQLException {
        String url = "jdbc:clickhouse://" + System.getenv("ENDPOINT_ADDRESS") + "/roi" + more;
        return DriverManager.getConnection(url, System.getenv(user), System.getenv(user + "_PASSWORD"));
    }

    private static String value(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement(); ResultSet rows = statement.executeQuery(sql)) {
            return rows.next() ? rows.getString(1) : null;
        }
    }

    public static void main(String[] arguments) throws Exception {
        Map<String, String> kinds = new LinkedHashMap<>();
        kinds.put("default", "");
        kinds.put("plain", "?compress=0");
        kinds.put("both ways", "?compress=1&decompress=1");
        kinds.put("http", "?client.use_http_compression=true&compress=1&decompress=1");
        for (Map.Entry<String, String> kind : kinds.entrySet()) reads(kind.getKey(), kind.getValue());
        for (Map.Entry<String, String> kind : kinds.entrySet()) writes(kind.getKey(), kind.getValue());
        metadata();
        cancels("READER");
        cancels("WRITER");
        System.exit(failed ? 1 : 0);
    }

    private static void reads(String name, String more) throws SQLException {
        try (Connection connection = connect("READER", more)) {
            check(name + " isValid", () -> equal(connection.isValid(5), true));
            check(name + " one", () -> equal(value(connection, "SELECT 1"), "1"));
            check(name + " types", () -> {
                String sql = "SELECT toInt64(-7) AS i, 'it''s 中' AS s, toDate('2024-05-06') AS d, CAST(NULL AS Nullable(Int32)) AS n, 1.5 AS f";
                try (Statement statement = connection.createStatement(); ResultSet rows = statement.executeQuery(sql)) {
                    equal(rows.next(), true);
                    equal(rows.getLong("i"), -7L);
                    equal(rows.getString("s"), "it's 中");
                    equal(rows.getDate("d").toString(), "2024-05-06");
                    equal(rows.getObject("n"), null);
                    equal(rows.getDouble("f"), 1.5);
                    equal(rows.next(), false);
                }
            });
            check(name + " a million rows", () -> {
                long sum = 0;
                try (Statement statement = connection.createStatement();
                        ResultSet rows = statement.executeQuery("SELECT number FROM numbers(1000000)")) {
                    while (rows.next()) sum += rows.getLong(1);
                }
                equal(sum, 499999500000L);
            });
            check(name + " no rows", () -> equal(value(connection, "SELECT 1 WHERE 0"), null));
            check(name + " parameters", () -> {
                try (PreparedStatement statement = connection.prepareStatement("SELECT number FROM numbers(10) WHERE number = ?")) {
                    statement.setInt(1, 7);
                    try (ResultSet rows = statement.executeQuery()) {
                        rows.next();
                        equal(rows.getInt(1), 7);
                    }
                }
            });
            for (String[] wrong : new String[][] {{"SELECT nope", "47"}, {"SELECT throwIf(1)", "395"},
                {"SELECT file('/etc/passwd')", "497"}, {"INSERT INTO roi.x VALUES (1)", "164"}}) {
                check(name + " error " + wrong[1], () -> {
                    try {
                        value(connection, wrong[0]);
                    } catch (SQLException error) {
                        
                        if (!error.getMessage().contains("Code: " + wrong[1])) throw error;
                        return;
                    }
                    throw new AssertionError("no error");
                });
            }
        }
    }

    private static void writes(String name, String more) throws SQLException {
        try (Connection connection = connect("WRITER", more)) {
            check(name + " batch insert", () -> {
                try (Statement statement = connection.createStatement()) {
                    statement.execute("DROP TABLE IF EXISTS roi.by_driver");
                    statement.execute("CREATE TABLE roi.by_driver (a UInt64, s String, n Nullable(Int32)) ENGINE = MergeTree ORDER BY a");
                }
                try (PreparedStatement insert = connection.prepareStatement("INSERT INTO roi.by_driver (a, s, n) VALUES (?, ?, ?)")) {
                    for (int row = 0; row < 1000; row++) {
                        insert.setLong(1, row);
                        insert.setString(2, "it's " + row);
                        insert.setObject(3, row % 2 == 0 ? null : row);
                        insert.addBatch();
                    }
                    equal(insert.executeBatch().length, 1000);
                }
                equal(value(connection, "SELECT concat(count(), ' ', sum(a), ' ', count(n), ' ', max(s)) FROM roi.by_driver"),
                    "1000 499500 500 it's 999");
            });
            check(name + " update count", () -> {
                try (Statement statement = connection.createStatement()) {
                    statement.executeUpdate("INSERT INTO roi.by_driver SELECT number, '', NULL FROM numbers(5)");
                }
                equal(value(connection, "SELECT count() FROM roi.by_driver"), "1005");
            });
        }
    }

    private static void metadata() throws SQLException {
        try (Connection connection = connect("READER", "")) {
            DatabaseMetaData about = connection.getMetaData();
            check("metadata tables", () -> {
                Set<String> names = new TreeSet<>();
                try (ResultSet rows = about.getTables(null, "roi", "%", null)) {
                    while (rows.next()) names.add(rows.getString("TABLE_NAME"));
                }
                if (!names.contains("by_driver")) throw new AssertionError(names);
            });
            check("metadata columns", () -> {
                List<String> names = new ArrayList<>();
                try (ResultSet rows = about.getColumns(null, "roi", "by_driver", "%")) {
                    while (rows.next()) names.add(rows.getString("COLUMN_NAME"));
                }
                equal(names, List.of("a", "s", "n"));
            });
            check("metadata schemas", () -> about.getSchemas().close());
            check("metadata catalogs", () -> about.getCatalogs().close());
            check("metadata types", () -> about.getTypeInfo().close());
            check("metadata functions", () -> about.getFunctions(null, null, "%").close());
        }
    }

    private static void cancels(String user) throws Exception {
        try (Connection connection = connect(user, ""); Statement statement = connection.createStatement()) {
            check(user + " cancel", () -> {
                ExecutorService threads = Executors.newSingleThreadExecutor();
                String marker = "cancelled-" + user;
                String mine = "SELECT count() FROM system.processes WHERE query LIKE '%" + marker + "%' AND query NOT LIKE '%system.processes%'";
                try (Connection other = connect(user, "")) {
                    Future<String> running = threads.submit(() -> {
                        statement.executeQuery("SELECT count(), '" + marker + "' FROM numbers(1000000000000) WHERE NOT ignore(sipHash64(number))").close();
                        return "ended";
                    });
                    long deadline = System.nanoTime() + 20_000_000_000L;
                    while (!"1".equals(value(other, mine)) && System.nanoTime() < deadline) Thread.onSpinWait();
                    equal(value(other, mine), "1");
                    statement.cancel();
                    try {
                        running.get(10, TimeUnit.SECONDS);
                        throw new AssertionError("the query ended by itself");
                    } catch (ExecutionException error) {
                        if (!(error.getCause() instanceof SQLException)) throw error;
                    }
                    while (!"0".equals(value(other, mine)) && System.nanoTime() < deadline) Thread.onSpinWait();
                    equal(value(other, mine), "0");
                } finally {
                    threads.shutdownNow();
                }
            });
        }
    }
}
