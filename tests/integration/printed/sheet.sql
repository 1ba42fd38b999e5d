-- words: the facts under the title
SELECT
    money(pretraining_usd + posttraining_usd + inference_usd), whole_more(penalty_ratio), tokens(params),
    tokens(training_tokens), day(released_on), day(retires_on)
FROM exports.thirds JOIN policy.models USING (model_id) WHERE model_id = model();

-- words: where its money went, today and at retirement
WITH shares AS (
    SELECT *, unnest([{'usd': pretraining_usd, 'ratio': pretraining_ratio}, {'usd': posttraining_usd, 'ratio': posttraining_ratio},
        {'usd': inference_usd, 'ratio': inference_ratio}], recursive := TRUE)
    FROM (SELECT *, pretraining_usd + posttraining_usd AS trained, trained + inference_usd AS direct FROM exports.thirds WHERE model_id = model())
)
SELECT
    CASE WHEN usd <> 0 THEN money(usd) END, whole(usd / direct),
    regexp_replace(whole(projected_inference_usd_p10 / (trained + projected_inference_usd_p10)), ' %$', ''),
    whole(projected_inference_usd_p50 / (trained + projected_inference_usd_p50)),
    whole(projected_inference_usd_p90 / (trained + projected_inference_usd_p90)),
    CASE WHEN target_pretraining_ratio > 0 THEN whole(target_pretraining_ratio) END, whole(target_pretraining_ratio + target_posttraining_ratio)
FROM shares;

-- words: cost so far as booked, and what models made from it carry
WITH trail AS (
    SELECT *, pretraining_usd + posttraining_usd + inference_usd AS booked FROM reports.trails WHERE model_id = model() ORDER BY month DESC LIMIT 1
)
SELECT
    money(booked), unnest([money(nullif(trail.pretraining_usd, 0)), money(nullif(trail.posttraining_usd, 0)), money(nullif(trail.inference_usd, 0))]),
    CASE WHEN money(booked) <> money(booked - trail_gap) THEN money(abs(trail_gap)) END,
    (SELECT month_year(min(month)) FROM reports.trails WHERE model_id = model())
FROM trail, (
    SELECT (SELECT booked FROM trail) - (pretraining_usd + posttraining_usd + inference_usd) AS trail_gap FROM exports.thirds WHERE model_id = model()
);

-- may: the months of the charts
SELECT tick(month) FROM reports.trails;

-- words: the balance of its training and where it runs to
SELECT
    money(amortization.closing_usd), CASE WHEN expected_tokens > 0 THEN tokens(expected_tokens) END,
    CASE WHEN daily_usd > 0 THEN tick(retires_on) END, CASE WHEN stranded_usd > 0 THEN money(stranded_usd) END
FROM exports.amortization LEFT JOIN reports.runoffs USING (model_id)
WHERE month = this_month() AND model_id = model();

-- words: sizes of the same quality that cost at most 2.2 times what now or the optimum do
WITH points AS (
    SELECT *, total_usd <= 2.2 * max(total_usd) FILTER (point <> 'curve') OVER () AS is_near FROM decisions.iso_loss WHERE model_id = model()
), ends AS (
    SELECT min(params) AS low, max(params) AS high, count(*) AS points FROM points WHERE is_near
)
SELECT
    tokens(low), tokens(high), two_digits(low), two_digits(low * pow(high / low, 1 / 3)), two_digits(low * pow(high / low, 2 / 3)), two_digits(high),
    two_digits(optimum_params_p50), two_digits(params), '−' || whole(saving_ratio_p50)
FROM ends, decisions.lifetime_optimum WHERE model_id = model() AND points > 0;

-- words: its tasks, and how much of the quality the best student keeps
WITH kept AS (SELECT task, max(student_quality / teacher_quality) AS ratio FROM policy.workloads GROUP BY ALL)
SELECT
    whole(share_ratio), percent(ratio),
    (SELECT whole(max(share_ratio)) || ' ' || count(*) FILTER (ratio >= quality_gate_ratio)
     FROM decisions.task_shares LEFT JOIN kept USING (task), policy.settings WHERE model_id = model()),
    CASE WHEN ratio IS NOT NULL THEN whole(quality_gate_ratio) END
FROM decisions.task_shares LEFT JOIN kept USING (task), policy.settings WHERE model_id = model() AND task IS NOT NULL;

-- words: its largest task over the next four weeks
SELECT 'four ' || tokens(expected_p50) || ' ' || tokens(expected_p10) || ' ' || tokens(expected_p90) || coalesce(' ' || percent(mape_ratio), '')
FROM economics.task_demand WHERE model_id = model() AND task IS NOT NULL AND production_unit = 'tokens'
ORDER BY expected_p50 DESC, task LIMIT 1;

-- words: what to do
SELECT
    span(net_present_value_usd_p10, net_present_value_usd_p90), money(one_off_usd_p50), money(next_year_saving_usd_p50),
    money(next_year_paid_usd_p50), span(next_year_saving_usd_p10, next_year_saving_usd_p90), chance(probability), months(payback_months_p50), 'month ' || fixed(payback_months_p50, 0),
    CASE WHEN action = 'retrain_smaller' THEN tokens((assumptions ->> 'target_params')::DOUBLE) END,
    money((assumptions ->> 'training_usd_p50')::DOUBLE), money((assumptions ->> 'evaluation_usd')::DOUBLE),
    money(nullif((assumptions ->> 'posttraining_usd')::DOUBLE, 0)),
    money((assumptions ->> 'migration_usd')::DOUBLE), whole((assumptions ->> 'break_even_demand_ratio')::DOUBLE)
FROM exports.recommendations WHERE model_id = model() ORDER BY rank LIMIT 1;

-- may: why now, the gate, and what lost
SELECT month_year(month) FROM reports.trails WHERE model_id = model()
UNION ALL SELECT whole(quality_gate_ratio) FROM policy.settings
UNION ALL SELECT dayofmonth(sign_by)::TEXT FROM exports.recommendations WHERE model_id = model()
UNION ALL SELECT whole(student_quality / teacher_quality) FROM policy.workloads
UNION ALL SELECT money(abs(monthly_saving_usd_p50)) || ' ' || money(net_present_value_usd_p50) || ' ' || chance(probability) || ' ' || coalesce(tokens(target_params), '')
    FROM decisions.candidates WHERE model_id = model() AND monthly_saving_usd_p50 IS NOT NULL;

-- may: what the plan of the card needs, and what it rests on
SELECT money(run_rate_paid_usd) || ' ' || coalesce(tokens((assumptions ->> 'training_gpu_hours')::DOUBLE) || ' '
        || fixed((assumptions ->> 'free_training_gpus')::DOUBLE, 0) || ' ' || months(round((assumptions ->> 'training_months')::DOUBLE)) || ' '
        || fixed((assumptions ->> 'flop_over_law')::DOUBLE, 0), '') || ' '
        || coalesce(money((assumptions ->> 'net_present_value_usd_p50_if_contracts_end_early')::DOUBLE) || ' '
        || money((assumptions ->> 'net_present_value_usd_p50_if_contracts_end_late')::DOUBLE), '')
FROM exports.recommendations WHERE action <> 'hold' AND model_id = model()
UNION ALL SELECT in_words(n) FROM range(20) AS numbers(n);

-- words: cash at the end of the curve
WITH first AS (SELECT * FROM exports.recommendations WHERE model_id = model() ORDER BY rank LIMIT 1),
curves AS (
    SELECT cash.*, first_value(target) OVER (ORDER BY target) AS best FROM decisions.cash_curves AS cash, first
    WHERE cash.model_id = first.model_id AND CASE first.action
        WHEN 'hold' THEN NOT is_recommended
        ELSE cash.action = first.action AND cash.task IS NOT DISTINCT FROM first.task AND cash.pool_id IS NOT DISTINCT FROM first.pool_id END
)
SELECT months(month), change(cash_usd_p10), change(cash_usd_p50), change(cash_usd_p90)
FROM curves WHERE target = best ORDER BY month DESC LIMIT 1;

-- fixed: four 80_%
