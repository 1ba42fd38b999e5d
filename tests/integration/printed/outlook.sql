-- words: the quarter that runs
SELECT money(expected_usd_p50), money(expected_usd_p10), money(expected_usd_p90), year(quarter)::TEXT
FROM reports.quarters ORDER BY quarter LIMIT 1;

-- words: the last month of the forecast
SELECT money(expected_usd_p10), money(expected_usd_p50), money(expected_usd_p90), month_year(month)
FROM reports.outlook ORDER BY month DESC LIMIT 1;

-- may: the months of the chart and what is known of them
SELECT tick(month) FROM reports.outlook
UNION ALL SELECT day(day) || CASE WHEN count(*) > 1 THEN ' ' || count(*) ELSE '' END FROM reports.events GROUP BY day, kind;

-- words: past forecasts against what came
SELECT folds::TEXT, percent(mape_ratio), percent(naive_mape_ratio), whole(coverage_ratio)
FROM economics.demand_states WHERE model_id = '*' AND quantity = 'inference_usd' ORDER BY known_on DESC LIMIT 1;

-- fixed: 80_% three four

-- table: By quarter US$ million
SELECT
    'Q' || quarter(quarter) || ' ' || year(quarter), millions(actual_usd), millions(expected_usd_p10), millions(expected_usd_p50),
    millions(expected_usd_p90), millions(plan_usd), whole(within_plan_ratio)
FROM reports.quarters ORDER BY quarter;
