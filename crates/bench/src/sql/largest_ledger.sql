SELECT height FROM ledgers WHERE jurisdiction = :'county';
