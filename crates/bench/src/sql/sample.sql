-- A receipt and a sealed document of the usual size, to be written again and again.
SELECT packing, encode(receipt, 'hex'), encode(digest, 'hex'), key_id, encode(sealed, 'hex') FROM decisions LIMIT 1;
