-- words: how many own models an equal split fits, and how far the one that has cost most and does not is from it
WITH alive AS (
    SELECT b.*, c.spent FROM economics.two_phase_balance b
    JOIN (SELECT model_id, pretraining_usd + posttraining_usd + inference_usd AS spent FROM economics.thirds WHERE as_of = tonight()) c USING (model_id)
    JOIN policy.models m USING (model_id) WHERE coalesce(m.retires_on > tonight(), true) AND demand_ratio IS NOT NULL
)
SELECT count(*) FILTER (equal_excess_ratio <= 0.1), count(*),
    factor(arg_max(greatest(demand_ratio / equal_to_ratio, equal_from_ratio / demand_ratio), spent)
        FILTER (coalesce(equal_excess_ratio > 0.1, true))) || ' times'
FROM alive;

-- words: where an equal split costs at most a tenth more
SELECT factor(min(equal_from_ratio)), factor(max(equal_to_ratio)) FROM economics.two_phase_balance;

-- words: what small batches cost, and what latency limits cost where they cost anything
WITH alone AS (SELECT deployment_id FROM decisions.serving_regimes GROUP BY ALL HAVING count(*) = 1)
SELECT money(sum(small_batches_usd) FILTER (batch_measured IS NOT NULL)), nullif(money(sum(latency_premium_usd)), '$0')
FROM decisions.serving_regimes SEMI JOIN alone USING (deployment_id);

-- words: the law, and the tokens a parameter of its data
SELECT regexp_extract(source, '\d+'), tokens(tokens_per_param_min) || ' to ' || tokens(tokens_per_param_max) FROM decisions.scaling_law WHERE is_chosen;

-- words: what teachers cost
SELECT money(teacher_training_usd) FROM economics.teacher_costs WHERE teacher_training_usd > 0 ORDER BY teacher_training_usd DESC LIMIT 3;

-- may: runs that should stop, and what is left to pay for them
SELECT in_words(count(*)), money(sum(remaining_usd)) FROM decisions.run_forecasts WHERE verdict IN ('stop', 'roll_back');

-- may: the months of the small lines, and the axes
SELECT count(*) || ' months' FROM reports.month_figures;

-- fixed: 10_%

-- words: the night of the runs
SELECT day(tonight());

-- may: what the figures say in words
SELECT factor(overtrain_ratio) || ' times ' || factor(demand_ratio) || ' times' FROM economics.scaling_evidence JOIN economics.two_phase_balance USING (model_id)
UNION ALL SELECT factor(batch_measured) || ' ' || factor(critical_batch) FROM decisions.serving_regimes
UNION ALL SELECT per_mtok(used_usd_per_mtok) FROM economics.equal_quality_prices WHERE month = this_month()
UNION ALL SELECT whole(share_ratio) FROM reports.task_standings;

-- table: Training and demand against the optimum
SELECT b.model_id, tokens(b.params), tokens(b.tokens), fixed(b.tokens / b.params, 0), NULL, factor(e.overtrain_ratio), NULL, factor(demand_ratio),
    replace(whole(optimal_training_ratio), ' %', ''),
    CASE WHEN b.law_excess_ratio <= 0.1 THEN 'near its least cost' WHEN optimum_params < b.params THEN 'smaller, trained longer'
        ELSE 'larger, trained shorter' END || CASE WHEN b.is_extrapolated THEN '; beyond the data' ELSE '' END
FROM economics.two_phase_balance b JOIN economics.scaling_evidence e USING (model_id) JOIN policy.models m USING (model_id)
JOIN economics.thirds t ON t.model_id = b.model_id AND t.as_of = tonight()
WHERE coalesce(m.retires_on > tonight(), true) ORDER BY pretraining_usd + posttraining_usd + inference_usd DESC LIMIT 8;

-- table: What the next tenfold of compute buys US$ million
WITH law AS (SELECT * FROM decisions.scaling_law WHERE is_chosen)
SELECT e.model_id, flop(6 * e.params * e.tokens), fixed(law.E + law.A / e.params ** law.alpha + law.B / e.tokens ** law.beta, 3), fixed(e.tenfold_loss, 3),
    millions(e.tenfold_usd)
FROM economics.scaling_evidence e JOIN policy.models m USING (model_id), law
WHERE coalesce(m.retires_on > tonight(), true) ORDER BY e.params * e.tokens DESC LIMIT 6;

-- table: Requests in a batch
WITH rows AS (
    SELECT *, count(*) OVER (PARTITION BY deployment_id) AS models, count(*) OVER (PARTITION BY model_id) AS places FROM decisions.serving_regimes
), printed AS (
    SELECT *, CASE WHEN models = 1 AND batch_measured IS NOT NULL THEN small_batches_usd END AS lost FROM rows
    ORDER BY models > 1, lost DESC NULLS LAST, deployment_id, model_id LIMIT 8
)
SELECT CASE WHEN count(*) OVER (PARTITION BY model_id) > 1 THEN deployment_id ELSE model_id END, NULL, factor(batch_measured), factor(critical_batch), thousands(lost)
FROM printed ORDER BY models > 1, lost DESC NULLS LAST, deployment_id, model_id;

-- table: Price at equal quality
SELECT e.model_id, CASE WHEN serving_model_id = e.model_id THEN 'itself' ELSE serving_model_id END, NULL, per_mtok(used_usd_per_mtok), per_mtok(api_usd_per_mtok),
    coalesce(replace(whole_more(yearly_change_ratio), ' ', ' '), '–')
FROM economics.equal_quality_prices e JOIN policy.models m USING (model_id)
WHERE month = this_month() AND coalesce(m.retires_on > tonight(), true)
ORDER BY api_usd_per_mtok IS NULL, used_usd_per_mtok DESC, e.model_id LIMIT 6;

-- table: Recurring work US$ thousand
WITH placed AS (
    SELECT *, CASE WHEN standing <> 'stays' THEN standing WHEN task IS NULL THEN 'unlabelled' WHEN task_class = 'open_ended' THEN 'open_ended' ELSE standing END AS place
    FROM decisions.task_classes
), names AS (
    SELECT unnest(['on_small_model', 'movable_measured', 'movable_unmeasured', 'stays', 'open_ended', 'unlabelled']) AS place,
        unnest(['on a small model', 'movable, measured', 'movable if evaluated', 'recurring, stays', 'open-ended, stays', 'task not named']) AS words,
        unnest(range(6)) AS position
)
SELECT any_value(words), NULL, replace(whole(sum(monthly_inference_usd) / (SELECT sum(monthly_inference_usd) FROM placed)), ' %', ''),
    coalesce(first(task ORDER BY monthly_inference_usd DESC) || ' on ', '') || first(model_id ORDER BY monthly_inference_usd DESC)
        || CASE WHEN count(*) > 1 THEN ' and ' || (count(*) - 1) || ' more' ELSE '' END,
    thousands(sum(monthly_inference_usd))
FROM placed JOIN names USING (place) GROUP BY place ORDER BY any_value(position);

-- table: Runs in flight
SELECT run_name, CASE kind WHEN 'sft' THEN 'fine-tuning' WHEN 'pretraining' THEN 'pre-training' WHEN 'rl' THEN 'RL' ELSE kind END, coalesce(whole(progress_ratio), '–'),
    NULL, NULL, NULL, NULL, NULL
FROM decisions.run_forecasts JOIN staging.training_runs USING (run_id) WHERE status = 'running';
