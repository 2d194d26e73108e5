-- whether migration 0047 has joined the credits of all models in one row
SELECT count() > 0 FROM {database}.migrations WHERE name = '0047_one_row_a_credit.sql'
FORMAT JSONCompactEachRow
