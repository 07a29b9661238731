\set number random(1, 999999999999)
\set place random(0, 25)
SELECT bench_submit(:number, :place, :packing, :receipt, :digest, :key_id, :sealed);
