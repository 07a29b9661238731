SELECT name, current_setting(name) FROM unnest(string_to_array(:'names', ',')) WITH ORDINALITY AS n (name, place) ORDER BY place;
