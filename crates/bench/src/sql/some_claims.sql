SELECT 'clm_' || jurisdiction || '_' || replace(id::text, '-', '') FROM claims TABLESAMPLE BERNOULLI (:percent) LIMIT :most;
