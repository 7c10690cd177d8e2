-- Reports stay in their rows, compressed, where those fit a page: replacing one
-- out of line touched 11 pages of TOAST, three quarters of what the check-in of
-- a quiet site did, and reading all reports touched as many for each.
ALTER TABLE tidemark.reports RESET (toast_tuple_target);
ALTER TABLE tidemark.reports ALTER document SET STORAGE MAIN;
