-- words: the quarter that runs
SELECT money(total_usd_p50), money(total_usd_p10), money(total_usd_p90), year(period_start)::TEXT
FROM economics.spend_outlook WHERE grain = 'quarter' AND period_end > tonight() ORDER BY period_start LIMIT 1;

-- words: the last month of the forecast
SELECT money(total_usd_p10), money(total_usd_p50), money(total_usd_p90), month_year(period_start)
FROM economics.spend_outlook WHERE grain = 'month' ORDER BY period_start DESC LIMIT 1;

-- may: the months of the chart and what is known of them
SELECT tick(month) FROM economics.monthly_spend WHERE month > tonight() - INTERVAL 13 MONTH
UNION ALL SELECT tick(period_start) FROM economics.spend_outlook
UNION ALL SELECT day(day) || CASE WHEN count(*) > 1 THEN ' ' || count(*) ELSE '' END FROM reports.events GROUP BY day, kind;

-- words: past forecasts against what came
SELECT folds::TEXT, percent(mape_ratio), percent(naive_mape_ratio), whole(coverage_ratio)
FROM economics.demand_states WHERE model_id = '*' AND quantity = 'inference_usd' ORDER BY known_on DESC LIMIT 1;

-- fixed: 80_% three four

-- table: By quarter US$ million
SELECT
    'Q' || quarter(period_start) || ' ' || year(period_start), millions(actual_usd), millions(total_usd_p10), millions(total_usd_p50),
    millions(total_usd_p90), millions(budget_usd), whole(within_plan_ratio)
FROM economics.spend_outlook WHERE grain = 'quarter' AND period_end > tonight() ORDER BY period_start;
