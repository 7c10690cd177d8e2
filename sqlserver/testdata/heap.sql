-- load, first
SELECT TOP (@n) CONVERT(binary(8), t.[rv]) AS r, t.[id] AS c0
FROM [dbo].[heap] AS t
ORDER BY t.[id] OPTION (MAXDOP 1, OPTIMIZE FOR UNKNOWN);

-- load, next
SELECT TOP (@n) CONVERT(binary(8), t.[rv]) AS r, t.[id] AS c0
FROM [dbo].[heap] AS t WHERE t.[id] > CONVERT(uniqueidentifier, @k0)
ORDER BY t.[id] OPTION (MAXDOP 1, OPTIMIZE FOR UNKNOWN);

-- keys, first
SELECT TOP (@n) CONVERT(binary(8), t.[rv]) AS r, t.[id] AS c0
FROM [dbo].[heap] AS t
ORDER BY t.[id] OPTION (MAXDOP 1, OPTIMIZE FOR UNKNOWN);

-- lookup of one key
SELECT v.i AS i, CONVERT(binary(8), t.[rv]) AS r, t.[id] AS c0
FROM (VALUES (0, @k0_0)) AS v(i, k0) JOIN [dbo].[heap] AS t ON t.[id] = CONVERT(uniqueidentifier, v.k0)
OPTION (LOOP JOIN, FORCE ORDER, MAXDOP 1, OPTIMIZE FOR UNKNOWN);

-- count
SELECT COUNT_BIG(*) AS n FROM [dbo].[heap] AS t OPTION (MAXDOP 1, OPTIMIZE FOR UNKNOWN);

-- count, one window
SELECT TOP (1) CONVERT(binary(8), w.r) AS r, w.c0 AS c0, w.n AS n
FROM (SELECT TOP (@n) t.[rv] AS r, t.[id] AS c0, ROW_NUMBER() OVER (ORDER BY t.[id]) AS n FROM [dbo].[heap] AS t WHERE t.[id] > CONVERT(uniqueidentifier, @k0) ORDER BY t.[id]) AS w
ORDER BY w.n DESC OPTION (MAXDOP 1, OPTIMIZE FOR UNKNOWN);

-- delta, first
SELECT TOP (@n) CONVERT(binary(8), t.[rv]) AS r, t.[id] AS c0
FROM [dbo].[heap] AS t WHERE t.[rv] > @from AND t.[rv] <= @ceiling
ORDER BY t.[rv], t.[id] OPTION (MAXDOP 1, OPTIMIZE FOR UNKNOWN);

-- delta, next
DECLARE @left bigint = @n;
SELECT TOP (@left) CONVERT(binary(8), t.[rv]) AS r, t.[id] AS c0
FROM [dbo].[heap] AS t WHERE t.[rv] = @rv AND t.[id] > CONVERT(uniqueidentifier, @k0)
ORDER BY t.[rv], t.[id] OPTION (MAXDOP 1, OPTIMIZE FOR UNKNOWN);
SET @left = @left - @@ROWCOUNT;
SELECT TOP (@left) CONVERT(binary(8), t.[rv]) AS r, t.[id] AS c0
FROM [dbo].[heap] AS t WHERE t.[rv] > @rv AND t.[rv] <= @ceiling
ORDER BY t.[rv], t.[id] OPTION (MAXDOP 1, OPTIMIZE FOR UNKNOWN);

-- high
SELECT TOP (1) CONVERT(binary(8), t.[rv]) AS r FROM [dbo].[heap] AS t WHERE t.[rv] > @from AND t.[rv] <= @ceiling ORDER BY t.[rv] DESC OPTION (MAXDOP 1, OPTIMIZE FOR UNKNOWN);

-- bound
SELECT TOP (1) CONVERT(binary(8), b.r) AS r
FROM (SELECT TOP (@n) t.[rv] AS r FROM [dbo].[heap] AS t WHERE t.[rv] > @from AND t.[rv] <= @ceiling ORDER BY t.[rv]) AS b
ORDER BY b.r DESC OPTION (MAXDOP 1, OPTIMIZE FOR UNKNOWN);

