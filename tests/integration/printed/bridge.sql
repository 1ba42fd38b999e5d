-- words: the change, its drivers, and the months they lead from and to
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
    FROM named WHERE place <= 10
    UNION ALL
    SELECT 11, count(*) || ' others', sum(ago), sum(now) FROM named WHERE place > 10
    UNION ALL
    SELECT 12, 'All cost', sum(ago), sum(now) FROM named
)
SELECT
    name, thousands(ago), thousands(now), thousands_more(now - ago),
    CASE WHEN ago < 1000 THEN 'n.m.' ELSE whole_more((now - ago) / ago) END
FROM lines ORDER BY place;
