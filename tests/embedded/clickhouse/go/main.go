// Exercises the endpoint with the real Go client, through its native API and through database/sql.
// One line per check: "ok NAME" or "FAIL NAME: reason". Exit code 1 when one failed.
package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"reflect"
	"strings"
	"sync"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

const types = `SELECT
	toUInt8(8) AS u8, toUInt16(16) AS u16, toUInt32(32) AS u32, toUInt64(18446744073709551615) AS u64,
	toInt8(-8) AS i8, toInt16(-16) AS i16, toInt32(-32) AS i32, toInt64(-9223372036854775808) AS i64,
	toFloat32(1.5) AS f32, toFloat64(-2.25) AS f64, 'it''s 中' AS s, toFixedString('abc', 3) AS fs,
	toLowCardinality('low') AS lc, CAST(NULL AS Nullable(Int32)) AS n0, CAST(7 AS Nullable(Int32)) AS n1,
	[1, 2, 3]::Array(UInt32) AS a, map('k', 1)::Map(String, Int64) AS m, (1, 'x')::Tuple(Int64, String) AS t,
	toDateTime('2024-05-06 07:08:09', 'UTC') AS dt, toDateTime64('2024-05-06 07:08:09.123', 3, 'Asia/Shanghai') AS dt64,
	toDate('2024-05-06') AS d, toDate32('1950-01-02') AS d32, toUUID('61f0c404-5cb3-11e7-907b-a6006ad3dba0') AS id,
	toDecimal64('12.345', 3) AS dec, CAST('b' AS Enum8('a' = 1, 'b' = 2)) AS e, true AS b,
	[['x'], []]::Array(Array(String)) AS aa, CAST(NULL AS LowCardinality(Nullable(String))) AS lcn`

type suite struct {
	failed bool
	lock   sync.Mutex
}

func (s *suite) check(name string, run func() error) {
	err := run()
	s.lock.Lock()
	defer s.lock.Unlock()
	if err != nil {
		s.failed = true
		fmt.Printf("FAIL %s: %v\n", name, err)
		return
	}
	fmt.Printf("ok %s\n", name)
}

func equal(got, want any) error {
	if !reflect.DeepEqual(got, want) {
		return fmt.Errorf("got %#v, want %#v", got, want)
	}
	return nil
}

func options(user, password, database string) *clickhouse.Options {
	return &clickhouse.Options{
		Protocol: clickhouse.HTTP,
		Addr:     []string{os.Getenv("ENDPOINT_ADDRESS")},
		Auth:     clickhouse.Auth{Database: database, Username: user, Password: password},
	}
}

func main() {
	reader := options(os.Getenv("READER"), os.Getenv("READER_PASSWORD"), "roi")
	writer := options(os.Getenv("WRITER"), os.Getenv("WRITER_PASSWORD"), "roi")
	gzipped := options(os.Getenv("WRITER"), os.Getenv("WRITER_PASSWORD"), "roi")
	gzipped.Compression = &clickhouse.Compression{Method: clickhouse.CompressionGZIP, Level: 1}
	lz4 := options(os.Getenv("WRITER"), os.Getenv("WRITER_PASSWORD"), "roi")
	lz4.Compression = &clickhouse.Compression{Method: clickhouse.CompressionLZ4}
	zstd := options(os.Getenv("WRITER"), os.Getenv("WRITER_PASSWORD"), "roi")
	zstd.Compression = &clickhouse.Compression{Method: clickhouse.CompressionZSTD}
	s := &suite{}
	for name, option := range map[string]*clickhouse.Options{"plain": reader, "gzip": gzipped, "lz4": lz4, "zstd": zstd} {
		connection, err := clickhouse.Open(option)
		if err != nil {
			fmt.Println("FAIL open:", err)
			os.Exit(1)
		}
		s.native(name, connection)
	}
	connection, _ := clickhouse.Open(reader)
	s.errors(connection, reader)
	for name, option := range map[string]*clickhouse.Options{"plain": writer, "gzip": gzipped, "lz4": lz4, "zstd": zstd} {
		connection, _ := clickhouse.Open(option)
		s.batch(name, connection)
	}
	s.standard(clickhouse.OpenDB(reader))
	s.cancellation(connection)
	s.concurrency(connection)
	if s.failed {
		os.Exit(1)
	}
}

func (s *suite) native(name string, connection driver.Conn) {
	ctx := context.Background()
	s.check(name+" ping", func() error { return connection.Ping(ctx) })
	s.check(name+" version", func() error { _, err := connection.ServerVersion(); return err })
	s.check(name+" types", func() error {
		rows, err := connection.Query(ctx, types)
		if err != nil {
			return err
		}
		defer rows.Close()
		if !rows.Next() {
			return fmt.Errorf("no row: %v", rows.Err())
		}
		columns := rows.ColumnTypes()
		values := make([]any, len(columns))
		for i, column := range columns {
			values[i] = reflect.New(column.ScanType()).Interface()
		}
		if err := rows.Scan(values...); err != nil {
			return err
		}
		got := map[string]any{}
		for i, column := range columns {
			got[column.Name()] = reflect.ValueOf(values[i]).Elem().Interface()
		}
		return errors.Join(
			equal(got["u64"], uint64(18446744073709551615)), equal(got["i64"], int64(-9223372036854775808)),
			equal(got["u8"], uint8(8)), equal(got["i16"], int16(-16)), equal(got["f32"], float32(1.5)), equal(got["f64"], -2.25),
			equal(got["s"], "it's 中"), equal(got["fs"], "abc"), equal(got["lc"], "low"), equal(got["a"], []uint32{1, 2, 3}),
			equal(got["m"], map[string]int64{"k": 1}), equal(fmt.Sprint(got["t"]), "[1 x]"),
			equal(got["dt"].(time.Time).Unix(), int64(1714979289)),
			equal(got["dt64"].(time.Time).UnixMilli(), int64(1714950489123)),
			equal(got["dt64"].(time.Time).Location().String(), "Asia/Shanghai"),
			equal(got["d"].(time.Time).Format("2006-01-02"), "2024-05-06"),
			equal(got["d32"].(time.Time).Format("2006-01-02"), "1950-01-02"),
			equal(fmt.Sprint(got["id"]), "61f0c404-5cb3-11e7-907b-a6006ad3dba0"), equal(fmt.Sprint(got["dec"]), "12.345"),
			equal(got["e"], "b"), equal(got["b"], true), equal(got["aa"], [][]string{{"x"}, {}}),
			equal(*got["n1"].(*int32), int32(7)), equal(got["n0"].(*int32) == nil, true), equal(got["lcn"].(*string) == nil, true),
		)
	})
	s.check(name+" many rows", func() error {
		rows, err := connection.Query(ctx, "SELECT number, toString(number) FROM numbers(500000)")
		if err != nil {
			return err
		}
		var count, number uint64
		var text string
		for rows.Next() {
			if err := rows.Scan(&number, &text); err != nil {
				return err
			}
			if text != fmt.Sprint(number) || number != count {
				return fmt.Errorf("row %d is %d %s", count, number, text)
			}
			count++
		}
		return errors.Join(rows.Err(), equal(count, uint64(500000)))
	})
	s.check(name+" empty result", func() error {
		rows, err := connection.Query(ctx, "SELECT number FROM numbers(10) WHERE number > 100")
		if err != nil {
			return err
		}
		return errors.Join(equal(rows.Next(), false), rows.Err())
	})
	s.check(name+" settings and parameters", func() error {
		with := clickhouse.Context(ctx, clickhouse.WithSettings(clickhouse.Settings{"max_block_size": 77, "limit": 1000000}),
			clickhouse.WithParameters(clickhouse.Parameters{"name": "it's", "ids": "[1,2]"}))
		var size uint64
		var text string
		row := connection.QueryRow(with, "SELECT toUInt64(getSetting('max_block_size')), {name:String} || toString({ids:Array(UInt8)})")
		return errors.Join(row.Scan(&size, &text), equal(size, uint64(77)), equal(text, "it's[1,2]"))
	})
	s.check(name+" bound arguments", func() error {
		var text string
		err := connection.QueryRow(ctx, "SELECT concat(?, toString(?))", "a'b", 5).Scan(&text)
		return errors.Join(err, equal(text, "a'b5"))
	})
	s.check(name+" select into structs", func() error {
		var out []struct {
			Number uint64 `ch:"number"`
		}
		return errors.Join(connection.Select(ctx, &out, "SELECT number FROM numbers(3)"), equal(len(out), 3))
	})
}

func contains(err error, text string) error {
	if err == nil {
		return fmt.Errorf("no error, want one with %q", text)
	}
	if !strings.Contains(err.Error(), text) {
		return fmt.Errorf("error %q lacks %q", err, text)
	}
	return nil
}

func (s *suite) errors(connection driver.Conn, good *clickhouse.Options) {
	ctx := context.Background()
	s.check("unknown column", func() error {
		_, err := connection.Query(ctx, "SELECT nope")
		return contains(err, "47")
	})
	s.check("write by the reader", func() error {
		return contains(connection.Exec(ctx, "CREATE TABLE roi.nope (a Int8) ENGINE = Memory"), "164")
	})
	s.check("error in the middle of a stream", func() error {
		rows, err := connection.Query(ctx, "SELECT throwIf(number = 2000000) FROM numbers(3000000)")
		if err != nil {
			return contains(err, "395")
		}
		for rows.Next() {
		}
		if rows.Err() == nil {
			return errors.New("the stream ended without its error")
		}
		return nil
	})
	s.check("usable after errors", func() error {
		var one uint8
		return errors.Join(connection.QueryRow(ctx, "SELECT 1").Scan(&one), equal(one, uint8(1)))
	})
	s.check("wrong password", func() error {
		bad, _ := clickhouse.Open(options(good.Auth.Username, "wrong", "roi"))
		return contains(bad.Ping(ctx), "516")
	})
	s.check("unknown database", func() error {
		bad, _ := clickhouse.Open(options(good.Auth.Username, good.Auth.Password, "nope"))
		return contains(bad.Ping(ctx), "81")
	})
	s.check("unknown setting", func() error {
		with := clickhouse.Context(ctx, clickhouse.WithSettings(clickhouse.Settings{"no_such_setting": 1}))
		return contains(connection.QueryRow(with, "SELECT 1").Err(), "115")
	})
}

func (s *suite) batch(name string, connection driver.Conn) {
	ctx := context.Background()
	table := "roi.go_" + name
	s.check(name+" create", func() error {
		return connection.Exec(ctx, "CREATE TABLE "+table+` (id UInt64, name String, tag LowCardinality(String), at DateTime64(3),
			maybe Nullable(Int32), list Array(String), pairs Map(String, Int64), price Decimal(18, 3), day Date) ENGINE = MergeTree ORDER BY id`)
	})
	s.check(name+" batch insert", func() error {
		batch, err := connection.PrepareBatch(ctx, "INSERT INTO "+table)
		if err != nil {
			return err
		}
		for i := 0; i < 50000; i++ {
			maybe := int32(i)
			if err := batch.Append(uint64(i), fmt.Sprint("name", i), "tag", time.UnixMilli(1714950489123), &maybe,
				[]string{"a", "b"}, map[string]int64{"k": int64(i)}, "1.250", time.UnixMilli(1714950489123)); err != nil {
				return err
			}
		}
		return batch.Send()
	})
	s.check(name+" rows arrived", func() error {
		var count, sum uint64
		var first string
		err := connection.QueryRow(ctx, "SELECT count(), sum(id), anyIf(name, id = 7) FROM "+table).Scan(&count, &sum, &first)
		return errors.Join(err, equal(count, uint64(50000)), equal(sum, uint64(1249975000)), equal(first, "name7"))
	})
	s.check(name+" column batch and some columns", func() error {
		batch, err := connection.PrepareBatch(ctx, "INSERT INTO "+table+" (id, name)")
		if err != nil {
			return err
		}
		if err := errors.Join(batch.Column(0).Append([]uint64{100000, 100001}), batch.Column(1).Append([]string{"x", "y"})); err != nil {
			return err
		}
		return batch.Send()
	})
	s.check(name+" insert into a missing table", func() error {
		_, err := connection.PrepareBatch(ctx, "INSERT INTO roi.missing")
		return contains(err, "60")
	})
	s.check(name+" exec insert", func() error {
		return connection.Exec(ctx, "INSERT INTO "+table+" (id, name) VALUES (200000, 'v')")
	})
	s.check(name+" count at the end", func() error {
		var count uint64
		return errors.Join(connection.QueryRow(ctx, "SELECT count() FROM "+table).Scan(&count), equal(count, uint64(50003)))
	})
}

func (s *suite) standard(database *sql.DB) {
	ctx := context.Background()
	s.check("sql ping", func() error { return database.PingContext(ctx) })
	s.check("sql rows", func() error {
		rows, err := database.QueryContext(ctx, "SELECT number, toString(number), now64(3) FROM numbers(1000)")
		if err != nil {
			return err
		}
		defer rows.Close()
		var number uint64
		var text string
		var at time.Time
		count := 0
		for rows.Next() {
			if err := rows.Scan(&number, &text, &at); err != nil {
				return err
			}
			count++
		}
		return errors.Join(rows.Err(), equal(count, 1000))
	})
	s.check("sql health check of the plugin", func() error {
		for i := 0; i < 2; i++ {
			rows, err := database.QueryContext(ctx, "SELECT 1")
			if err != nil {
				return err
			}
			columns, _ := rows.Columns()
			rows.Close()
			if err := equal(columns, []string{"1"}); err != nil {
				return err
			}
		}
		return nil
	})
	s.check("sql error", func() error { _, err := database.QueryContext(ctx, "SELECT nope"); return contains(err, "47") })
}

func (s *suite) cancellation(connection driver.Conn) {
	s.check("deadline kills the query", func() error {
		ctx, cancel := context.WithTimeout(context.Background(), 500*time.Millisecond)
		defer cancel()
		start := time.Now()
		rows, err := connection.Query(clickhouse.Context(ctx, clickhouse.WithQueryID("from-go")),
			"SELECT count() FROM numbers(1000000000000) WHERE NOT ignore(sipHash64(number))")
		if err == nil {
			for rows.Next() {
			}
			err = rows.Err()
		}
		if err == nil {
			return errors.New("no error")
		}
		if time.Since(start) > 3*time.Second {
			return fmt.Errorf("took %v", time.Since(start))
		}
		for range 100 {
			var count uint64
			err := connection.QueryRow(context.Background(), "SELECT count() FROM system.processes WHERE query_id = 'from-go'").Scan(&count)
			if err != nil || count == 0 {
				return err
			}
			time.Sleep(10 * time.Millisecond)
		}
		return errors.New("the query still runs")
	})
}

func (s *suite) concurrency(connection driver.Conn) {
	s.check("fifty at once", func() error {
		var group sync.WaitGroup
		failures := make(chan error, 50)
		for worker := range 50 {
			group.Add(1)
			go func() {
				defer group.Done()
				for round := range 4 {
					want := fmt.Sprintf("w%d-%d", worker, round)
					var got string
					var count uint64
					err := connection.QueryRow(context.Background(), "SELECT any('"+want+"'), count() FROM numbers(10000)").Scan(&got, &count)
					if err == nil {
						err = equal(got, want)
					}
					if err != nil {
						failures <- err
						return
					}
				}
			}()
		}
		group.Wait()
		close(failures)
		return <-failures
	})
}
