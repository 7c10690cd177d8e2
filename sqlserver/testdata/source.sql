-- catalog
SELECT t.object_id, s.name AS schema_name, t.name AS table_name
FROM sys.tables AS t JOIN sys.schemas AS s ON s.schema_id = t.schema_id
WHERE t.is_ms_shipped = 0
ORDER BY s.name, t.name;
SELECT c.object_id, c.column_id, c.name, u.name AS declared, b.name AS base, CONVERT(int, c.max_length) AS max_length,
 CONVERT(int, c.[precision]) AS digits, CONVERT(int, c.scale) AS scale, CONVERT(int, c.is_nullable) AS is_nullable,
 CONVERT(int, c.is_identity) AS is_identity, CONVERT(int, c.is_computed) AS is_computed, c.collation_name
FROM sys.columns AS c JOIN sys.tables AS t ON t.object_id = c.object_id
 LEFT JOIN sys.types AS u ON u.user_type_id = c.user_type_id
 LEFT JOIN sys.types AS b ON b.user_type_id = u.system_type_id
WHERE t.is_ms_shipped = 0
ORDER BY c.object_id, c.column_id;
SELECT i.object_id, i.index_id, i.type_desc, CONVERT(int, i.is_unique) AS is_unique, CONVERT(int, i.is_primary_key) AS is_primary_key,
 CONVERT(int, i.is_disabled) AS is_disabled, CONVERT(int, i.has_filter) AS has_filter,
 x.column_id, CONVERT(int, x.is_descending_key) AS is_descending_key
FROM sys.indexes AS i JOIN sys.tables AS t ON t.object_id = i.object_id
 JOIN sys.index_columns AS x ON x.object_id = i.object_id AND x.index_id = i.index_id
WHERE t.is_ms_shipped = 0 AND x.is_included_column = 0 AND x.key_ordinal > 0
ORDER BY i.object_id, i.index_id, x.key_ordinal;
-- computed columns
SELECT c.object_id, c.column_id FROM sys.computed_columns AS c WHERE c.is_persisted = 0;
-- encrypted columns
SELECT c.object_id, c.column_id FROM sys.columns AS c WHERE c.encryption_type > 0;
-- masked columns
SELECT c.object_id, c.column_id FROM sys.columns AS c
WHERE c.is_masked = 1 AND ISNULL(HAS_PERMS_BY_NAME(DB_NAME(), N'DATABASE', N'UNMASK'), 0) = 0;
-- or
SELECT c.object_id, c.column_id FROM sys.columns AS c WHERE c.is_masked = 1;
-- column sets
SELECT c.object_id, c.column_id FROM sys.columns AS c WHERE c.is_column_set = 1;
-- graph columns
SELECT c.object_id, c.column_id FROM sys.columns AS c WHERE c.graph_type > 0;
-- where views lack something
SELECT t.object_id, CONVERT(int, c.ORDINAL_POSITION) AS column_id, c.COLUMN_NAME AS name, c.DATA_TYPE AS declared, c.DATA_TYPE AS base,
 CONVERT(int, c.CHARACTER_OCTET_LENGTH) AS max_length, CONVERT(int, c.NUMERIC_PRECISION) AS digits,
 ISNULL(CONVERT(int, c.NUMERIC_SCALE), CONVERT(int, c.DATETIME_PRECISION)) AS scale,
 CASE c.IS_NULLABLE WHEN 'NO' THEN 0 ELSE 1 END AS is_nullable, 0 AS is_identity, 0 AS is_computed, c.COLLATION_NAME AS collation_name
FROM INFORMATION_SCHEMA.COLUMNS AS c JOIN sys.schemas AS s ON s.name = c.TABLE_SCHEMA JOIN sys.tables AS t ON t.schema_id = s.schema_id AND t.name = c.TABLE_NAME
WHERE t.is_ms_shipped = 0
ORDER BY t.object_id, c.ORDINAL_POSITION;
SELECT t.object_id, c.COLUMN_NAME AS name
FROM INFORMATION_SCHEMA.TABLE_CONSTRAINTS AS k
 JOIN INFORMATION_SCHEMA.KEY_COLUMN_USAGE AS c ON c.CONSTRAINT_SCHEMA = k.CONSTRAINT_SCHEMA AND c.CONSTRAINT_NAME = k.CONSTRAINT_NAME
 AND c.TABLE_SCHEMA = k.TABLE_SCHEMA AND c.TABLE_NAME = k.TABLE_NAME JOIN sys.schemas AS s ON s.name = c.TABLE_SCHEMA JOIN sys.tables AS t ON t.schema_id = s.schema_id AND t.name = c.TABLE_NAME
WHERE t.is_ms_shipped = 0 AND k.CONSTRAINT_TYPE = 'PRIMARY KEY'
ORDER BY t.object_id, c.ORDINAL_POSITION;
-- probe
SELECT CONVERT(binary(8), @@DBTS) AS dbts, CONVERT(binary(8), MIN_ACTIVE_ROWVERSION()) AS active;
SELECT CONVERT(nvarchar(128), SERVERPROPERTY('ServerName')) AS server_name, DB_NAME() AS database_name;
SELECT @@SERVERNAME AS at_server_name;
SELECT DB_NAME() AS database_name;
SELECT d.create_date, CONVERT(int, d.snapshot_isolation_state) AS snapshot_state, CONVERT(int, d.is_read_committed_snapshot_on) AS rcsi
FROM sys.databases AS d WHERE d.database_id = DB_ID();
SELECT d.create_date AS only_create_date FROM sys.databases AS d WHERE d.database_id = DB_ID();
SELECT CONVERT(int, d.snapshot_isolation_state) AS only_snapshot FROM sys.databases AS d WHERE d.database_id = DB_ID();
SELECT CONVERT(int, d.is_read_committed_snapshot_on) AS only_rcsi FROM sys.databases AS d WHERE d.database_id = DB_ID();
SELECT r.database_guid, r.recovery_fork_guid
FROM sys.database_recovery_status AS r WHERE r.database_id = DB_ID();
SELECT p.object_id, CONVERT(bigint, SUM(p.rows)) AS row_count FROM sys.partitions AS p
WHERE p.index_id IN (0, 1) AND p.object_id IN (1,22,333) GROUP BY p.object_id;
-- holder
SELECT TOP (1) CONVERT(int, s.session_id) AS session_id, s.login_name, s.host_name, s.program_name, s.status,
 d.database_transaction_begin_time AS began, GETDATE() AS now
FROM sys.dm_tran_database_transactions AS d
 JOIN sys.dm_tran_session_transactions AS x ON x.transaction_id = d.transaction_id
 JOIN sys.dm_exec_sessions AS s ON s.session_id = x.session_id
WHERE d.database_id = DB_ID() AND d.database_transaction_begin_time IS NOT NULL
ORDER BY d.database_transaction_begin_time;
-- settings
SET TRANSACTION ISOLATION LEVEL SNAPSHOT; SET XACT_ABORT ON; SET NOCOUNT ON; SET TEXTSIZE 2147483647; SET LOCK_TIMEOUT 5000; SET DEADLOCK_PRIORITY LOW;
SET TRANSACTION ISOLATION LEVEL READ COMMITTED; SET XACT_ABORT ON; SET NOCOUNT ON; SET TEXTSIZE 2147483647; SET LOCK_TIMEOUT 5000; SET DEADLOCK_PRIORITY LOW;
