\set number random(1, 999999999999)
SELECT bench_submit(:number, 13, :packing, :receipt, :digest, :key_id, :sealed);
