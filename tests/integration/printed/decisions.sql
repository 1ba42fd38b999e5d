-- words: how many decisions, and what they save together
SELECT in_words(decisions), span(next_year_saving_usd_p10, next_year_saving_usd_p90), money(next_year_saving_usd_p50), money(one_off_usd_p50),
    '$0', money(next_year_saving_usd_p90)
FROM decisions.recommended_totals;

-- may: sizes that decisions and alternatives name, those that wait, the cost of capital and the gate
SELECT tokens((assumptions ->> 'target_params')::DOUBLE) FROM exports.recommendations
UNION ALL SELECT tokens(target_params) FROM decisions.candidates
UNION ALL SELECT in_words(n) FROM range(10) AS numbers(n)
UNION ALL SELECT whole(discount_ratio) || ' ' || whole(quality_gate_ratio) FROM policy.settings
UNION ALL SELECT whole(student_quality / teacher_quality) FROM policy.workloads
UNION ALL SELECT dayofmonth(sign_by)::TEXT FROM exports.recommendations
UNION ALL SELECT whole(1 - used_gpus / capacity_gpus) || ' ' || dayofmonth(renews_on) FROM decisions.pool_states;

-- may: what alternatives lack, and what they are worth
SELECT money(abs(monthly_saving_usd_p50)) || ' ' || money(monthly_saving_usd_p50) || ' ' || chance(probability) || ' ' || money(net_present_value_usd_p50)
FROM decisions.candidates WHERE monthly_saving_usd_p50 IS NOT NULL;

-- may: the card of a pool
WITH shown AS (SELECT * FROM exports.recommendations WHERE action <> 'hold' AND model_id IS NULL),
curve AS (
    SELECT cash.* FROM decisions.cash_curves AS cash JOIN shown ON cash.pool_id = shown.pool_id AND cash.action = shown.action
)
SELECT
    money(one_off_usd_p50) || ' ' || money(next_year_paid_usd_p50) || ' ' || money(next_year_saving_usd_p50) || ' ' || span(next_year_saving_usd_p10, next_year_saving_usd_p90) || ' '
        || chance(probability) || ' ' || months(payback_months_p50) || ' month ' || fixed(payback_months_p50, 0)
FROM shown
UNION ALL SELECT months(month) || ' ' || change(cash_usd_p10) || ' ' || change(cash_usd_p50) || ' ' || change(cash_usd_p90) FROM curve;

-- may: what the plan of a card needs, and what it rests on
SELECT money(run_rate_paid_usd) || ' ' || coalesce(tokens((assumptions ->> 'training_gpu_hours')::DOUBLE) || ' '
        || fixed((assumptions ->> 'free_training_gpus')::DOUBLE, 0) || ' ' || months(round((assumptions ->> 'training_months')::DOUBLE)) || ' '
        || fixed((assumptions ->> 'flop_over_law')::DOUBLE, 0), '') || ' '
        || coalesce(money((assumptions ->> 'net_present_value_usd_p50_if_contracts_end_early')::DOUBLE) || ' '
        || money((assumptions ->> 'net_present_value_usd_p50_if_contracts_end_late')::DOUBLE), '')
FROM exports.recommendations WHERE action <> 'hold' AND model_id IS NULL
UNION ALL SELECT in_words(n) FROM range(20) AS numbers(n);

-- table: Ranked
WITH asked AS (
    SELECT * EXCLUDE (standing), list_position(['safe', 'measured', 'evaluate_first'], standing) AS standing
    FROM exports.recommendations WHERE action <> 'hold'
), placed AS (
    SELECT *, row_number() OVER (ORDER BY standing, net_present_value_usd_p50 DESC, rank) AS place FROM asked
), printed AS (
    SELECT standing, place, place::TEXT, NULL, millions(one_off_usd_p50),
        'saves ' || money(next_year_saving_usd_p50) || ' in twelve months, ' || span(next_year_saving_usd_p10, next_year_saving_usd_p90),
        millions(next_year_saving_usd_p50), CASE standing WHEN 3 THEN '–' ELSE millions(net_present_value_usd_p50) END,
        CASE WHEN standing < 3 AND millions(net_present_value_usd_p10) <> millions(net_present_value_usd_p90)
            THEN millions(net_present_value_usd_p10) || '–' || millions(net_present_value_usd_p90) ELSE '' END,
        fixed(payback_months_p50, 0), chance(probability), NULL, NULL
    FROM placed
    UNION ALL
    SELECT DISTINCT standing, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL FROM placed
    UNION ALL
    SELECT 4, 0, '', NULL, millions(one_off_usd_p50),
        'saves ' || money(next_year_saving_usd_p50) || ' in twelve months, ' || span(next_year_saving_usd_p10, next_year_saving_usd_p90),
        millions(next_year_saving_usd_p50), millions(net_present_value_usd_p50),
        millions(net_present_value_usd_p10) || '–' || millions(net_present_value_usd_p90), '', '', '', ''
    FROM decisions.recommended_totals
)
SELECT * EXCLUDE (standing, place) FROM printed ORDER BY standing, place;

-- table: Rejected
WITH valued AS (
    SELECT c.*, coalesce(c.model_id, c.pool_id) AS subject FROM decisions.candidates AS c
    LEFT JOIN exports.recommendations AS r ON r.action = c.action AND r.model_id IS NOT DISTINCT FROM c.model_id
        AND r.task IS NOT DISTINCT FROM c.task AND r.pool_id IS NOT DISTINCT FROM c.pool_id
    WHERE c.monthly_saving_usd_p50 <> 0 AND (r.rank IS NULL OR (c.action IN ('retrain_smaller') AND c.net_present_value_usd_p50 <> r.net_present_value_usd_p50))
), best AS (
    SELECT *, row_number() OVER (PARTITION BY subject ORDER BY net_present_value_usd_p50 DESC) AS place FROM valued
)
SELECT subject, NULL, millions(net_present_value_usd_p50) || ' M', NULL FROM best WHERE place = 1
ORDER BY net_present_value_usd_p50 DESC LIMIT 5;

-- table: Models without a decision
SELECT NULL FROM range(5);

-- may: how many more models have no decision
SELECT (count(*) - 5)::TEXT FROM exports.thirds
WHERE pretraining_usd + posttraining_usd + inference_usd <> 0
    AND model_id NOT IN (SELECT model_id FROM exports.recommendations WHERE action <> 'hold' AND model_id IS NOT NULL);
