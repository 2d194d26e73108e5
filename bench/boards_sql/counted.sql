-- what ClickHouse counts once an hour; here at once, or boards would count it at each question until then
SELECT view FROM system.view_refreshes WHERE database = '{database}' ORDER BY view
