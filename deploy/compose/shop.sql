-- A small shop, made once; and the agent's login.
IF DB_ID('Shop') IS NULL CREATE DATABASE Shop;
GO
IF SUSER_ID('tidemark') IS NULL CREATE LOGIN tidemark WITH PASSWORD = '$(agent_password)';
GO
USE Shop;
GO
IF USER_ID('tidemark') IS NULL CREATE USER tidemark FOR LOGIN tidemark;
GRANT SELECT ON SCHEMA::dbo TO tidemark;
GRANT VIEW DEFINITION TO tidemark;
GO
IF OBJECT_ID('dbo.customers') IS NULL
BEGIN
    CREATE TABLE dbo.customers (
        id int IDENTITY NOT NULL PRIMARY KEY,
        name nvarchar(100) NOT NULL,
        joined date NOT NULL,
        rv rowversion NOT NULL INDEX rv);
    CREATE TABLE dbo.orders (
        id bigint IDENTITY NOT NULL PRIMARY KEY,
        customer int NOT NULL REFERENCES dbo.customers,
        total decimal(12, 2) NOT NULL,
        placed datetime2(3) NOT NULL,
        rv rowversion NOT NULL INDEX rv);
    INSERT INTO dbo.customers (name, joined)
    SELECT TOP (1000) CONCAT(N'Customer ', ROW_NUMBER() OVER (ORDER BY a.object_id)), '2026-01-01'
    FROM sys.all_columns a CROSS JOIN sys.all_columns b;
    INSERT INTO dbo.orders (customer, total, placed)
    SELECT TOP (20000) 1 + ROW_NUMBER() OVER (ORDER BY a.object_id) % 1000, ROW_NUMBER() OVER (ORDER BY a.object_id) % 500, SYSUTCDATETIME()
    FROM sys.all_columns a CROSS JOIN sys.all_columns b;
END
GO
