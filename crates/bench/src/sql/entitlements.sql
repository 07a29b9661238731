COPY entitlements (code, programme, applicant, category, issued_on, expires_on) FROM STDIN;
