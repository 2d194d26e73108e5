// Exercises the endpoint with the real Node client, with and without compression either way.
// One line per check: "ok NAME" or "FAIL NAME: reason". Exit code 1 when one failed.
import assert from "node:assert/strict";
import { createClient } from "@clickhouse/client";

let failed = false;

async function check(name, run) {
  try {
    await run();
    console.log(`ok ${name}`);
  } catch (error) {
    failed = true;
    console.log(`FAIL ${name}: ${String(error).replaceAll("\n", " ")}`);
  }
}

function connect(user, response, request) {
  return createClient({
    url: `http://${process.env.ENDPOINT_ADDRESS}`,
    username: process.env[user],
    password: process.env[`${user}_PASSWORD`],
    database: "roi",
    compression: { response, request },
  });
}

for (const [response, request] of [[false, false], [true, false], [false, true], [true, true]]) {
  const name = `response ${response} request ${request}`;
  const reader = connect("READER", response, request);
  const writer = connect("WRITER", response, request);
  await check(`${name} ping`, async () => assert.equal((await reader.ping()).success, true));
  await check(`${name} rows`, async () => {
    const rows = await reader.query({ query: "SELECT number, 'it''s 中' AS s FROM numbers(300000)", format: "JSONEachRow" });
    const all = await rows.json();
    assert.equal(all.length, 300000);
    assert.deepEqual(all[7], { number: 7, s: "it's 中" });
  });
  await check(`${name} parameters`, async () => {
    const rows = await reader.query({ query: "SELECT {a:Int32} AS a", query_params: { a: 7 }, format: "JSON" });
    assert.deepEqual((await rows.json()).data, [{ a: 7 }]);
  });
  await check(`${name} error`, async () => {
    await assert.rejects(reader.query({ query: "SELECT nope" }), { code: "47", type: "UNKNOWN_IDENTIFIER" });
  });
  await check(`${name} insert`, async () => {
    await writer.command({ query: "CREATE OR REPLACE TABLE roi.by_node (a UInt32, s String) ENGINE = MergeTree ORDER BY a" });
    const values = Array.from({ length: 1000 }, (_, a) => ({ a, s: `it's ${a}` }));
    const done = await writer.insert({ table: "roi.by_node", values, format: "JSONEachRow" });
    assert.equal(done.summary.written_rows, "1000");
    const rows = await reader.query({ query: "SELECT sum(a) AS sum FROM roi.by_node", format: "JSONEachRow" });
    assert.deepEqual(await rows.json(), [{ sum: 499500 }]);
  });
  await check(`${name} summary`, async () => {
    const rows = await reader.query({ query: "SELECT a FROM roi.by_node", format: "JSONEachRow" });
    assert.equal((await rows.json()).length, 1000);
  });
  await reader.close();
  await writer.close();
}
process.exitCode = failed ? 1 : 0;
