-- words: the month against its plan and the month before
SELECT
    money(now.effective_usd), change(now.effective_usd - now.plan_usd), whole(abs(now.effective_usd / now.plan_usd - 1)),
    change(now.effective_usd - ago.effective_usd), per_mtok(now.fully_loaded_usd_per_mtok),
    per_mtok(now.fully_loaded_usd_per_mtok - ago.fully_loaded_usd_per_mtok)
FROM reports.month_figures AS now, reports.month_figures AS ago
WHERE now.month = this_month() AND ago.month = last_month();

-- words: the year to date, where it is heading, and their plans as far as every month has one
WITH past AS (
    SELECT month, sum(effective_usd) AS usd FROM economics.monthly_spend
    WHERE account <> 'out_of_scope' AND year(month) = year(this_month()) GROUP BY ALL
), ahead AS (
    SELECT period_start AS month, total_usd_p50 AS usd FROM economics.spend_outlook WHERE grain = 'month' AND year(period_start) = year(this_month())
)
SELECT
    (SELECT money(sum(usd)) FROM past WHERE month <= this_month()),
    (SELECT money(sum(usd)) FROM (SELECT usd FROM ahead UNION ALL SELECT usd FROM past WHERE month NOT IN (SELECT month FROM ahead))),
    (SELECT money(sum(usd)) FROM policy.budgets WHERE model_id = '*' AND phase = '*' AND year(month) = year(this_month()) AND month <= this_month()),
    year(this_month())::TEXT;

-- words: the price of the year, all cost over all tokens
SELECT per_mtok(sum(fully_loaded_usd_per_mtok * (input_tokens + output_tokens)) / sum(input_tokens + output_tokens))
FROM exports.unit_costs WHERE fully_loaded_usd_per_mtok IS NOT NULL AND year(month) = year(this_month()) AND month <= this_month();

-- words: what was wasted or idle
WITH months AS (SELECT month, sum(wasted_usd) AS usd FROM economics.waste GROUP BY ALL)
SELECT
    money(now.usd), whole(now.usd / figures.effective_usd), change(now.usd - ago.usd), whole(abs(now.usd / ago.usd - 1)),
    (SELECT money(sum(usd)) FROM months WHERE year(month) = year(this_month()) AND month <= this_month())
FROM months AS now, months AS ago, reports.month_figures AS figures
WHERE now.month = this_month() AND ago.month = last_month() AND figures.month = this_month();

-- words: training that is not yet amortised
WITH months AS (SELECT month, sum(closing_usd) AS usd FROM exports.amortization GROUP BY ALL)
SELECT
    money(now.usd), change(now.usd - ago.usd),
    change(now.usd - coalesce((SELECT usd FROM months WHERE month = make_date(year(this_month())::INTEGER - 1, 12, 1)), 0))
FROM months AS now, months AS ago WHERE now.month = this_month() AND ago.month = last_month();

-- words: the two drivers that moved most, and the rest
WITH sums AS (
    SELECT driver, sum(change_usd) AS usd FROM economics.variance_bridge WHERE month = this_month() GROUP BY driver
), drivers AS (
    SELECT *, row_number() OVER (ORDER BY abs(usd) DESC, driver) AS place FROM sums
)
SELECT change(usd) FROM drivers WHERE place <= 2 UNION ALL SELECT change(sum(usd)) FROM drivers WHERE place > 2;

-- words: the months of the chart and of the small curves
SELECT count(*) || ' months', money(min(effective_usd)), money(max(effective_usd)), min(year(month))::TEXT, max(year(month))::TEXT
FROM reports.month_figures;

-- may: the months in words, the years ahead, the day of the night, and the first day of the year
SELECT in_words(count(*)) FROM reports.month_figures
UNION ALL SELECT count(*)::TEXT FROM reports.month_figures
UNION ALL SELECT year(period_start)::TEXT FROM economics.spend_outlook
UNION ALL SELECT dayofmonth(tonight())::TEXT
UNION ALL SELECT dayofmonth(renews_on)::TEXT FROM decisions.pool_states
UNION ALL SELECT dayofmonth(sign_by)::TEXT FROM exports.recommendations
UNION ALL SELECT month_year(month) FROM reports.trails;

-- words: the month that runs
SELECT money(actual_usd), money(total_usd_p50), money(budget_usd)
FROM economics.spend_outlook WHERE grain = 'month' AND period_start = date_trunc('month', tonight());

-- words: the thirds of the company now and at retirement
WITH sums AS (
    SELECT sum(pretraining_usd) AS pre, sum(posttraining_usd) AS post, sum(inference_usd) AS inf,
        sum(coalesce(projected_inference_usd_p50, inference_usd)) AS later
    FROM exports.thirds
)
SELECT money(pre + post + inf), whole(pre / (pre + post + inf)), whole(post / (pre + post + inf)), whole(inf / (pre + post + inf)),
    money(pre + post + later), whole(later / (pre + post + later))
FROM sums;

-- words: the decisions together
SELECT money(next_year_saving_usd_p50), money(one_off_usd_p50), money(next_year_saving_usd_p90), '$0', in_words(decisions), nullif(money(next_year_paid_usd_p50), '$0')
FROM decisions.recommended_totals;

-- may: shares and sizes behind why a decision is asked now, those that wait, and those that are not listed
SELECT whole(1 - used_gpus / capacity_gpus) FROM decisions.pool_states WHERE capacity_gpus > 0
UNION ALL SELECT whole(student_quality / teacher_quality) FROM policy.workloads
UNION ALL SELECT whole(quality_gate_ratio) FROM policy.settings
UNION ALL SELECT tokens((assumptions ->> 'target_params')::DOUBLE) FROM exports.recommendations
UNION ALL SELECT money(next_year_saving_usd_p50) FROM exports.recommendations
UNION ALL SELECT in_words(n) FROM range(10) AS numbers(n)
UNION ALL SELECT money(run_rate_paid_usd) FROM decisions.recommended_totals
UNION ALL SELECT count(*)::TEXT FROM exports.recommendations WHERE action <> 'hold' GROUP BY standing = 'evaluate_first';

-- words: the largest idle pool that no decision answers
SELECT money(sum(wasted_usd)) FROM economics.waste
WHERE month = this_month() AND cause IN ('idle', 'commitment_unused')
    AND pool_id NOT IN (SELECT pool_id FROM exports.recommendations WHERE action = 'release_capacity')
GROUP BY pool_id ORDER BY sum(wasted_usd) DESC LIMIT 1;

-- table: 
SELECT NULL FROM range(5);

-- table: Decisions
WITH asked AS (
    SELECT * FROM exports.recommendations WHERE action <> 'hold' AND standing <> 'evaluate_first'
), shown AS (
    SELECT row_number() OVER (ORDER BY sign_by NULLS LAST, monthly_saving_usd_p50 DESC) AS place, * FROM asked
), printed AS (
    SELECT place, NULL, NULL, millions(one_off_usd_p50),
        'saves ' || money(next_year_saving_usd_p50) || ' in twelve months, ' || span(next_year_saving_usd_p10, next_year_saving_usd_p90),
        millions(next_year_saving_usd_p50), fixed(payback_months_p50, 0), chance(probability), NULL, NULL
    FROM shown WHERE place <= 3
    UNION ALL
    SELECT 4, NULL, millions(one_off_usd_p50),
        'saves ' || money(next_year_saving_usd_p50) || ' in twelve months, ' || span(next_year_saving_usd_p10, next_year_saving_usd_p90),
        millions(next_year_saving_usd_p50), '', NULL, NULL, NULL, NULL
    FROM decisions.recommended_totals
)
SELECT * EXCLUDE (place) FROM printed ORDER BY place;

-- words: what the numbers tie to
SELECT
    (SELECT count(*) FILTER (is_reconciled) || ' ' || count(*) FROM exports.reconciliation WHERE invoice_total IS NOT NULL),
    (SELECT (count(*) FILTER (invoice_total IS NULL))::TEXT || ' more' FROM exports.reconciliation), percent(named_ratio), money(unallocated_usd)
FROM reports.month_figures WHERE month = this_month();

-- fixed: 1 2 13 11
