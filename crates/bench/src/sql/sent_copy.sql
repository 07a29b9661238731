CREATE TEMP TABLE sent (key text PRIMARY KEY, reference text NOT NULL UNIQUE, number bigint NOT NULL, tries int NOT NULL, name text);
COPY sent FROM STDIN;
