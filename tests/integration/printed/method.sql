-- words: policies in force
SELECT
    whole(dead_band_ratio), fixed(draws, 0), whole(discount_ratio), whole(quality_gate_ratio), money(materiality_usd),
    (SELECT fixed(rate, 6) || ' ' || month_year(month) FROM policy.fx WHERE month = this_month() AND currency = 'EUR')
FROM policy.settings;

-- words: lives
SELECT day(valid_from), CASE WHEN months IS NOT NULL THEN months(months) END, CASE WHEN expected_tokens > 0 THEN tokens(expected_tokens) END
FROM policy.lives;

-- words: models and inputs that are not listed, and when it was built
SELECT
    (SELECT count(DISTINCT model_id) - 8 FROM ledger.policy_sensitivity WHERE policy = 'booked')::TEXT || ' more',
    (SELECT count(*) - 30 FROM raw.files)::TEXT || ' more', strftime(built_at AT TIME ZONE 'UTC', '%Y-%m-%d %H:%M')
FROM policy.settings;

-- words: how many numbers
SELECT count(*)::TEXT FROM reports.numbers;

-- fixed: 1 nine 0.2 0.2.0

-- table: If pools were shared otherwise share of all models' cost (rank)
SELECT
    model_id,
    max(percent(share_ratio) || ' (' || rank || ')') FILTER (policy = 'booked'),
    max(percent(share_ratio) || ' (' || rank || ')') FILTER (policy = 'idle_with_users'),
    max(percent(share_ratio) || ' (' || rank || ')') FILTER (policy = 'whole_nodes'),
    max(percent(share_ratio) || ' (' || rank || ')') FILTER (policy = 'provider_weights')
FROM ledger.policy_sensitivity, policy.settings WHERE policy_sensitivity.currency = settings.currency
GROUP BY model_id ORDER BY min(rank) FILTER (policy = 'booked') LIMIT 8;

-- table: Where each number comes from
SELECT
    printf('K-%02d', position), title, exact(value::TEXT), unit,
    CASE WHEN length(source) <= 160 THEN source END
FROM (SELECT *, relation || ' (' || fields || CASE filter WHEN '' THEN '' ELSE ', ' || filter END || ')' AS source FROM reports.numbers)
ORDER BY position;

-- table: Inputs sha256 of each file
SELECT file, fixed(rows, 0), sha256 FROM raw.files ORDER BY source, file LIMIT 30;
