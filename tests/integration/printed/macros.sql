-- What scripts of several pages say: the month reported, and dates and small numbers as they are printed.
CREATE MACRO this_month() AS (SELECT month FROM reports.subject);
CREATE MACRO last_month() AS (SELECT previous_month FROM reports.subject);
CREATE MACRO tonight() AS (SELECT as_of FROM reports.subject);
CREATE MACRO day(x) AS coalesce(strftime(x::DATE, '%Y-%m-%d'), '–');
CREATE MACRO tick(x) AS strftime(x, '%b %y');
CREATE MACRO month_year(x) AS strftime(x, '%B %Y');
CREATE MACRO in_words(n) AS
    ['no', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine'][n::INTEGER + 1];
