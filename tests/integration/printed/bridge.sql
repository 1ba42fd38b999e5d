-- words: the change and its drivers
WITH drivers AS (SELECT driver, sum(change_usd) AS usd FROM economics.variance_bridge WHERE month = this_month() GROUP BY ALL)
SELECT change(usd) FROM drivers
UNION ALL
SELECT change(sum(usd)) FROM drivers;

-- words: the two months
SELECT money(effective_usd) FROM reports.month_figures WHERE month IN (this_month(), last_month());

-- words: the plan, its one line by model and phase, and all other cost
WITH lines AS (
    SELECT sum(variance_usd) AS usd FROM economics.budget_variances
    WHERE month = this_month() AND model_id <> '*' AND phase <> '*'
)
SELECT money(plan_usd), money(abs(effective_usd - plan_usd)), change(usd), change(effective_usd - plan_usd - usd)
FROM reports.month_figures, lines WHERE month = this_month();

-- words: where the year is heading
WITH ahead AS (
    SELECT period_start AS month, total_usd_p50 AS usd FROM economics.spend_outlook WHERE grain = 'month' AND year(period_start) = year(this_month())
), past AS (
    SELECT month, sum(effective_usd) AS usd FROM economics.monthly_spend
    WHERE account <> 'out_of_scope' AND year(month) = year(this_month()) AND month NOT IN (SELECT month FROM ahead) GROUP BY ALL
)
SELECT year(this_month())::TEXT, money(sum(usd)) FROM (SELECT usd FROM ahead UNION ALL SELECT usd FROM past);

-- may: how much more or less each entity cost, in words
SELECT money(abs(change_usd)) FROM reports.movers;

-- table: What moved most US$ thousand
WITH booked AS (
    SELECT
        CASE WHEN account = 'commitment_unused' THEN 'idle' ELSE coalesce(phase, account) END AS class,
        CASE account WHEN 'direct' THEN model_id END AS model,
        coalesce(sum(effective_usd) FILTER (month = last_month()), 0) AS ago,
        coalesce(sum(effective_usd) FILTER (month = this_month()), 0) AS now
    FROM economics.monthly_spend WHERE month IN (last_month(), this_month()) AND account <> 'out_of_scope' GROUP BY ALL
), ranked AS (
    SELECT *, row_number() OVER (ORDER BY abs(now - ago) DESC, class, model) AS place FROM booked WHERE now <> 0 OR ago <> 0
), named AS (
    SELECT *, {
        'pretraining': 'pre-training', 'posttraining': 'post-training', 'idle': 'Idle and unused', 'shared': 'Shared',
        'unallocated': 'Unallocated', 'adjustment': 'Adjustments', 'inference': 'inference'
    } AS names FROM ranked
), lines AS (
    SELECT place, CASE WHEN model IS NULL THEN '' ELSE model || ', ' END || json_extract_string(names::JSON, class) AS name, ago, now
    FROM named WHERE place <= 8
    UNION ALL
    SELECT 11, count(*) || ' others', sum(ago), sum(now) FROM named WHERE place > 8
    UNION ALL
    SELECT 12, 'All cost', sum(ago), sum(now) FROM named
)
SELECT name, thousands(ago), thousands(now), NULL, thousands_more(now - ago) FROM lines ORDER BY place;

-- words: the quarter that runs
SELECT year(period_start)::TEXT
FROM economics.spend_outlook WHERE grain = 'quarter' AND period_end > tonight() ORDER BY period_start LIMIT 1;

-- words: the last month of the forecast
SELECT money(total_usd_p10), money(total_usd_p50), money(total_usd_p90), month_year(period_start)
FROM economics.spend_outlook WHERE grain = 'month' ORDER BY period_start DESC LIMIT 1;

-- may: the months of the chart and what is known of them
SELECT tick(month) FROM economics.monthly_spend WHERE month > tonight() - INTERVAL 13 MONTH
UNION ALL SELECT tick(period_start) FROM economics.spend_outlook
UNION ALL SELECT dayofmonth(tonight())::TEXT
UNION ALL SELECT dayofmonth(day) || CASE WHEN count(*) > 1 THEN ' ' || count(*) ELSE '' END FROM reports.events GROUP BY day, kind;

-- words: past forecasts against what came
SELECT folds::TEXT, percent(mape_ratio), percent(naive_mape_ratio), whole(coverage_ratio)
FROM economics.demand_states WHERE model_id = '*' AND quantity = 'inference_usd' ORDER BY known_on DESC LIMIT 1;

-- fixed: 80_% three four

-- table: 
WITH rows AS (
    SELECT 1 AS place, month_year(period_start) AS name, * FROM economics.spend_outlook WHERE grain = 'month' AND period_start = date_trunc('month', tonight())
    UNION ALL
    SELECT 2, 'Q' || quarter(period_start) || ' ' || year(period_start), * FROM economics.spend_outlook WHERE grain = 'quarter' AND period_end > tonight()
)
SELECT * EXCLUDE (place, period_start) FROM (
    SELECT
        place, period_start, name, CASE WHEN actual_usd = 0 THEN '–' ELSE millions(actual_usd) END, millions(total_usd_p10), millions(total_usd_p50),
        millions(total_usd_p90), millions(budget_usd), CASE WHEN budget_usd IS NULL THEN '–' ELSE millions_more(total_usd_p50 - budget_usd) END,
        CASE place WHEN 1 THEN '–' ELSE chance(within_plan_ratio) END
    FROM rows
    UNION ALL
    SELECT 3, NULL, 'Year ' || year(this_month()), '–', '–', NULL, '–', '–', '–', '–'
)
ORDER BY place, period_start;

-- may: the whole year
WITH ahead AS (
    SELECT period_start AS month, total_usd_p50 AS usd FROM economics.spend_outlook WHERE grain = 'month' AND year(period_start) = year(this_month())
), past AS (
    SELECT month, sum(effective_usd) AS usd FROM economics.monthly_spend
    WHERE account <> 'out_of_scope' AND year(month) = year(this_month()) AND month NOT IN (SELECT month FROM ahead) GROUP BY ALL
)
SELECT millions(sum(usd)) FROM (SELECT usd FROM ahead UNION ALL SELECT usd FROM past);
