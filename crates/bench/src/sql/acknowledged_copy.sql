CREATE TEMP TABLE acknowledged (name text NOT NULL);
COPY acknowledged FROM STDIN;
