-- the shares of mix A over 28 days, ten events a customer, fifty campaigns; ids as long as the mix's
INSERT INTO alone.logins
SELECT
    concat('customer-', leftPad(toString(cityHash64(number + {first}, 1) % {customers}), 8, '0')),
    concat('login-', leftPad(toString(number + {first}), 11, '0')),
    fromUnixTimestamp64Milli(toInt64(1790000000000 + (number + {first}) * 2419200000. / {events})),
    cityHash64(number + {first}, 3) % 1024,
    false
FROM numbers({count})
WHERE number % 100 < 70
SETTINGS max_threads = 2;

INSERT INTO alone.transactions
SELECT
    concat('customer-', leftPad(toString(cityHash64(number + {first}, 1) % {customers}), 8, '0')),
    concat('payment-', leftPad(toString(number + {first}), 11, '0')),
    fromUnixTimestamp64Milli(toInt64(1790000000000 + (number + {first}) * 2419200000. / {events})),
    ['transfer', 'payment', 'card_spend', 'deposit'][1 + cityHash64(number + {first}, 2) % 4],
    cityHash64(number + {first}, 3) % 400000,
    cityHash64(number + {first}, 3) % 4096
FROM numbers({count})
WHERE number % 100 >= 70 AND number % 100 < 90
SETTINGS max_threads = 2;

INSERT INTO alone.touches
SELECT
    concat('customer-', leftPad(toString(cityHash64(number + {first}, 1) % {customers}), 8, '0')),
    concat('touch-', leftPad(toString(number + {first}), 11, '0')),
    fromUnixTimestamp64Milli(toInt64(1790000000000 + (number + {first}) * 2419200000. / {events})),
    concat('campaign-', leftPad(toString(cityHash64(number + {first}, 2) % 50), 3, '0')),
    cityHash64(number + {first}, 3) % 16
FROM numbers({count})
WHERE number % 100 >= 90 AND number % 100 < 99
SETTINGS max_threads = 2;

INSERT INTO alone.costs
SELECT
    concat('campaign-', leftPad(toString(cityHash64(number + {first}, 2) % 50), 3, '0')),
    concat('cost-', leftPad(toString(number + {first}), 11, '0')),
    fromUnixTimestamp64Milli(toInt64(1790000000000 + (number + {first}) * 2419200000. / {events})),
    cityHash64(number + {first}, 3) % 40000
FROM numbers({count})
WHERE number % 100 = 99
SETTINGS max_threads = 2;
