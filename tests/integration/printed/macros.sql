-- What scripts of several pages say: the month reported, and dates and small numbers as they are printed.
CREATE MACRO this_month() AS (SELECT month FROM reports.subject);
CREATE MACRO last_month() AS (SELECT previous_month FROM reports.subject);
CREATE MACRO tonight() AS (SELECT as_of FROM reports.subject);
CREATE MACRO day(x) AS coalesce(strftime(x::DATE, '%Y-%m-%d'), '–');
CREATE MACRO tick(x) AS strftime(x, '%b %y');
CREATE MACRO month_year(x) AS strftime(x, '%B %Y');
CREATE MACRO in_words(n) AS
    ['no', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine'][n::INTEGER + 1];
-- What lost, at which size, why, and what it was worth.
CREATE MACRO lost(entry) AS
    CASE WHEN entry ->> 'action' = 'retrain_smaller' THEN coalesce(tokens((entry ->> 'target_params')::DOUBLE) || ' ', '') ELSE '' END
    || said(entry ->> 'why') || coalesce(', ' || money((entry ->> 'net_present_value_usd_p50')::DOUBLE), '');
