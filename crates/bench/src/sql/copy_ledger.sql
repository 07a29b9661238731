COPY (SELECT * FROM transfers WHERE jurisdiction = '140802' ORDER BY height) TO STDOUT (FORMAT csv);
