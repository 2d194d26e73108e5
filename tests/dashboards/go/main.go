// Asks a ClickHouse what Grafana's ClickHouse plugin would ask, with the parts that the plugin is made of: macros by
// Grafana's sqlutil, query and frames by its sqlds, the Go client over HTTP. The plugin's own table of macros is no module that
// can be fetched; `macros` below says what its documentation says.
//
// stdin: [{"name", "sql", "format", "from", "to", "interval"}], the range in milliseconds, the interval in seconds.
// stdout: [{"name", "sql", "error", "series", "fields": [{"name", "type", "labels", "values"}]}], times in milliseconds.
package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"reflect"
	"regexp"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/grafana/grafana-plugin-sdk-go/data"
	"github.com/grafana/grafana-plugin-sdk-go/data/sqlutil"
	"github.com/grafana/sqlds/v5"
)

type asked struct {
	Name     string `json:"name"`
	SQL      string `json:"sql"`
	Format   uint32 `json:"format"`
	From     int64  `json:"from"`
	To       int64  `json:"to"`
	Interval int64  `json:"interval"`
}

type field struct {
	Name   string            `json:"name"`
	Type   string            `json:"type"`
	Labels map[string]string `json:"labels"`
	Values []any             `json:"values"`
}

type answer struct {
	Name   string  `json:"name"`
	SQL    string  `json:"sql"`
	Error  string  `json:"error"`
	Series string  `json:"series"`
	Fields []field `json:"fields"`
}

func day(t time.Time) string     { return "toDate('" + t.UTC().Format("2006-01-02") + "')" }
func second(t time.Time) string  { return fmt.Sprintf("toDateTime(%d)", t.Unix()) }
func instant(t time.Time) string { return fmt.Sprintf("fromUnixTimestamp64Milli(%d)", t.UnixMilli()) }

// between stands for a filter of the range, written by `literal`.
func between(literal func(time.Time) string) sqlutil.MacroFunc {
	return func(query *sqlutil.Query, arguments []string) (string, error) {
		if len(arguments) != 1 {
			return "", fmt.Errorf("expected 1 argument, received %d", len(arguments))
		}
		from, to := literal(query.TimeRange.From), literal(query.TimeRange.To)
		return fmt.Sprintf("%s >= %s AND %s <= %s", arguments[0], from, arguments[0], to), nil
	}
}

func from(literal func(time.Time) string) sqlutil.MacroFunc {
	return func(query *sqlutil.Query, _ []string) (string, error) { return literal(query.TimeRange.From), nil }
}

func to(literal func(time.Time) string) sqlutil.MacroFunc {
	return func(query *sqlutil.Query, _ []string) (string, error) { return literal(query.TimeRange.To), nil }
}

var macros = sqlutil.Macros{
	"timeFilter":    between(second),
	"timeFilter_ms": between(instant),
	"dateFilter":    between(day),
	"fromTime":      from(second),
	"toTime":        to(second),
	"fromTime_ms":   from(instant),
	"toTime_ms":     to(instant),
	"interval_s": func(query *sqlutil.Query, _ []string) (string, error) {
		return fmt.Sprint(max(int(query.Interval.Seconds()), 1)), nil
	},
	"timeInterval": func(query *sqlutil.Query, arguments []string) (string, error) {
		if len(arguments) != 1 {
			return "", fmt.Errorf("expected 1 argument, received %d", len(arguments))
		}
		seconds := max(int(query.Interval.Seconds()), 1)
		return fmt.Sprintf("toStartOfInterval(toDateTime(%s), INTERVAL %d second)", arguments[0], seconds), nil
	},
}

// nullable makes what the plugin's own converters make: the SDK alone cannot take a value that may be null.
func nullable[Scanned any, Shown any](types string, kind data.FieldType, shown func(Scanned) (Shown, bool)) sqlutil.Converter {
	return sqlutil.Converter{
		Name:           types,
		InputScanType:  reflect.TypeFor[Scanned](),
		InputTypeRegex: regexp.MustCompile(`^(LowCardinality\()?Nullable\((` + types + `)`),
		FrameConverter: sqlutil.FrameConverter{
			FieldType: kind,
			ConverterFunc: func(in any) (any, error) {
				if found, known := shown(*in.(*Scanned)); known {
					return &found, nil
				}
				return (*Shown)(nil), nil
			},
		},
	}
}

var converters = []sqlutil.Converter{
	nullable("Date", data.FieldTypeNullableTime, func(in sql.NullTime) (time.Time, bool) { return in.Time, in.Valid }),
	nullable("Float", data.FieldTypeNullableFloat64, func(in sql.NullFloat64) (float64, bool) { return in.Float64, in.Valid }),
	nullable("U?Int", data.FieldTypeNullableInt64, func(in sql.NullInt64) (int64, bool) { return in.Int64, in.Valid }),
	nullable("String", data.FieldTypeNullableString, func(in sql.NullString) (string, bool) { return in.String, in.Valid }),
}

func values(of *data.Field) []any {
	found := []any{}
	for row := range of.Len() {
		value := reflect.ValueOf(of.At(row))
		for value.Kind() == reflect.Pointer && !value.IsNil() {
			value = value.Elem()
		}
		if value.Kind() == reflect.Pointer {
			found = append(found, nil)
			continue
		}
		one := value.Interface()
		if value.CanFloat() && (math.IsNaN(value.Float()) || math.IsInf(value.Float(), 0)) {
			one = fmt.Sprint(one)
		}
		if at, is := one.(time.Time); is {
			one = at.UnixMilli()
		}
		found = append(found, one)
	}
	return found
}

func ask(query asked, database sqlds.Connection) answer {
	found := answer{Name: query.Name, Fields: []field{}}
	model := &sqlutil.Query{
		RawSQL:    query.SQL,
		Format:    sqlutil.FormatQueryOption(query.Format),
		RefID:     "A",
		Interval:  time.Duration(query.Interval) * time.Second,
		TimeRange: backend.TimeRange{From: time.UnixMilli(query.From).UTC(), To: time.UnixMilli(query.To).UTC()},
	}
	expanded, err := sqlutil.Interpolate(model, macros)
	if err != nil {
		found.Error = "macros: " + err.Error()
		return found
	}
	found.SQL, model.RawSQL = expanded, expanded
	fill := &data.FillMissing{Mode: data.FillModeNull}
	frames, err := sqlds.NewQuery(database, backend.DataSourceInstanceSettings{Name: "clickhouse", Type: "clickhouse"}, converters, fill, 1_000_000).
		Run(context.Background(), model, nil)
	if err != nil {
		found.Error = err.Error()
		return found
	}
	for _, frame := range frames {
		found.Series = frame.TimeSeriesSchema().Type.String()
		for _, one := range frame.Fields {
			found.Fields = append(found.Fields, field{one.Name, one.Type().ItemTypeString(), one.Labels, values(one)})
		}
	}
	return found
}

func main() {
	var queries []asked
	if err := json.NewDecoder(os.Stdin).Decode(&queries); err != nil {
		panic(err)
	}
	database := clickhouse.OpenDB(&clickhouse.Options{
		Protocol:    clickhouse.HTTP,
		Addr:        []string{os.Getenv("ENDPOINT_ADDRESS")},
		Auth:        clickhouse.Auth{Database: "roi", Username: os.Getenv("READER"), Password: os.Getenv("READER_PASSWORD")},
		Compression: &clickhouse.Compression{Method: clickhouse.CompressionGZIP},
		Settings:    clickhouse.Settings{"limit": 1_000_000},
		DialTimeout: 10 * time.Second,
		ReadTimeout: 60 * time.Second,
	})
	answers := []answer{}
	for _, query := range queries {
		answers = append(answers, ask(query, database))
	}
	if err := json.NewEncoder(os.Stdout).Encode(answers); err != nil {
		panic(err)
	}
}
