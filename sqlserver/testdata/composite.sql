-- load, first
SELECT TOP (@n) CONVERT(binary(8), t.[row_version]) AS r, CONVERT(nvarchar(30), t.[tenant]) AS c0, t.[day] AS c1, t.[n] AS c2, t.[price] AS c3
FROM [sales data].[a]]b] AS t
ORDER BY t.[tenant], t.[day] DESC, t.[n] OPTION (MAXDOP 1, OPTIMIZE FOR UNKNOWN);
SELECT TOP (0) t.[tenant] AS w0 FROM [sales data].[a]]b] AS t;

-- load, next
DECLARE @left bigint = @n;
SELECT TOP (@left) CONVERT(binary(8), t.[row_version]) AS r, CONVERT(nvarchar(30), t.[tenant]) AS c0, t.[day] AS c1, t.[n] AS c2, t.[price] AS c3
FROM [sales data].[a]]b] AS t WHERE t.[tenant] = CONVERT(varchar(30), @k0 COLLATE Latin1_General_CI_AS) AND t.[day] = CONVERT(date, @k1, 23) AND t.[n] > @k2
ORDER BY t.[tenant], t.[day] DESC, t.[n] OPTION (MAXDOP 1, OPTIMIZE FOR UNKNOWN);
SET @left = @left - @@ROWCOUNT;
SELECT TOP (@left) CONVERT(binary(8), t.[row_version]) AS r, CONVERT(nvarchar(30), t.[tenant]) AS c0, t.[day] AS c1, t.[n] AS c2, t.[price] AS c3
FROM [sales data].[a]]b] AS t WHERE t.[tenant] = CONVERT(varchar(30), @k0 COLLATE Latin1_General_CI_AS) AND t.[day] < CONVERT(date, @k1, 23)
ORDER BY t.[tenant], t.[day] DESC, t.[n] OPTION (MAXDOP 1, OPTIMIZE FOR UNKNOWN);
SET @left = @left - @@ROWCOUNT;
SELECT TOP (@left) CONVERT(binary(8), t.[row_version]) AS r, CONVERT(nvarchar(30), t.[tenant]) AS c0, t.[day] AS c1, t.[n] AS c2, t.[price] AS c3
FROM [sales data].[a]]b] AS t WHERE t.[tenant] > CONVERT(varchar(30), @k0 COLLATE Latin1_General_CI_AS)
ORDER BY t.[tenant], t.[day] DESC, t.[n] OPTION (MAXDOP 1, OPTIMIZE FOR UNKNOWN);
SELECT TOP (0) t.[tenant] AS w0 FROM [sales data].[a]]b] AS t;

-- keys, first
SELECT TOP (@n) CONVERT(binary(8), t.[row_version]) AS r, CONVERT(nvarchar(30), t.[tenant]) AS c0, t.[day] AS c1, t.[n] AS c2
FROM [sales data].[a]]b] AS t
ORDER BY t.[tenant], t.[day] DESC, t.[n] OPTION (MAXDOP 1, OPTIMIZE FOR UNKNOWN);
SELECT TOP (0) t.[tenant] AS w0 FROM [sales data].[a]]b] AS t;

-- lookup of one key
SELECT v.i AS i, CONVERT(binary(8), t.[row_version]) AS r, CONVERT(nvarchar(30), t.[tenant]) AS c0, t.[day] AS c1, t.[n] AS c2, t.[price] AS c3
FROM (VALUES (0, @k0_0, @k0_1, @k0_2)) AS v(i, k0, k1, k2) JOIN [sales data].[a]]b] AS t ON t.[tenant] = CONVERT(varchar(30), v.k0 COLLATE Latin1_General_CI_AS) AND t.[day] = CONVERT(date, v.k1, 23) AND t.[n] = v.k2
OPTION (LOOP JOIN, FORCE ORDER, MAXDOP 1, OPTIMIZE FOR UNKNOWN);
SELECT TOP (0) t.[tenant] AS w0 FROM [sales data].[a]]b] AS t;

-- count
SELECT COUNT_BIG(*) AS n FROM [sales data].[a]]b] AS t OPTION (MAXDOP 1, OPTIMIZE FOR UNKNOWN);

-- count, one window
SELECT TOP (1) CONVERT(binary(8), w.r) AS r, CONVERT(nvarchar(30), w.c0) AS c0, w.c1 AS c1, w.c2 AS c2, w.n AS n
FROM (SELECT TOP (@n) t.[row_version] AS r, t.[tenant] AS c0, t.[day] AS c1, t.[n] AS c2, ROW_NUMBER() OVER (ORDER BY t.[tenant], t.[day] DESC, t.[n]) AS n FROM [sales data].[a]]b] AS t WHERE t.[tenant] = CONVERT(varchar(30), @k0 COLLATE Latin1_General_CI_AS) AND t.[day] = CONVERT(date, @k1, 23) AND t.[n] > @k2 ORDER BY t.[tenant], t.[day] DESC, t.[n]) AS w
ORDER BY w.n DESC OPTION (MAXDOP 1, OPTIMIZE FOR UNKNOWN);
SELECT TOP (0) t.[tenant] AS w0 FROM [sales data].[a]]b] AS t;

-- window, first
SELECT CONVERT(binary(8), w.r) AS r, CONVERT(nvarchar(30), w.c0) AS c0, w.c1 AS c1, w.c2 AS c2, w.c3 AS c3, w.n AS n
FROM (SELECT TOP (@n) t.[row_version] AS r, t.[tenant] AS c0, t.[day] AS c1, t.[n] AS c2, t.[price] AS c3, ROW_NUMBER() OVER (ORDER BY t.[tenant], t.[day] DESC, t.[n]) AS n FROM [sales data].[a]]b] AS t ORDER BY t.[tenant], t.[day] DESC, t.[n]) AS w
WHERE (w.r > @from AND w.r <= @ceiling) OR w.n = @n
ORDER BY w.n OPTION (MAXDOP 1, OPTIMIZE FOR UNKNOWN);
SELECT TOP (0) t.[tenant] AS w0 FROM [sales data].[a]]b] AS t;

-- window, next
SELECT CONVERT(binary(8), w.r) AS r, CONVERT(nvarchar(30), w.c0) AS c0, w.c1 AS c1, w.c2 AS c2, w.c3 AS c3, w.n AS n
FROM (SELECT TOP (@n) t.[row_version] AS r, t.[tenant] AS c0, t.[day] AS c1, t.[n] AS c2, t.[price] AS c3, ROW_NUMBER() OVER (ORDER BY t.[tenant], t.[day] DESC, t.[n]) AS n FROM [sales data].[a]]b] AS t WHERE t.[tenant] = CONVERT(varchar(30), @k0 COLLATE Latin1_General_CI_AS) AND t.[day] = CONVERT(date, @k1, 23) AND t.[n] > @k2 ORDER BY t.[tenant], t.[day] DESC, t.[n]) AS w
WHERE (w.r > @from AND w.r <= @ceiling) OR w.n = @n
ORDER BY w.n OPTION (MAXDOP 1, OPTIMIZE FOR UNKNOWN);
SELECT TOP (0) t.[tenant] AS w0 FROM [sales data].[a]]b] AS t;

