-- What is logged of sums is of hours alone, and their days follow from them: an
-- earlier program would lose the days, so it must not open this database.
UPDATE rollup_log SET data = data WHERE 0;
