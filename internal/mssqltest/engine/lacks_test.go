package engine_test

import (
	"testing"

	"tidemark/internal/mssqltest/engine"
)

func TestInformationSchema(t *testing.T) {
	s := newServer(t, engine.DatabaseOptions{}).session(t)
	s.exec("CREATE TABLE t (a varchar(20) NOT NULL, b decimal(9,2) NULL, c datetime2(3) NOT NULL, d nvarchar(max) NULL, rv rowversion NOT NULL, CONSTRAINT pk PRIMARY KEY (c, a DESC))")
	for sql, want := range map[string]string{
		"SELECT COLUMN_NAME, DATA_TYPE, CHARACTER_OCTET_LENGTH, NUMERIC_PRECISION, NUMERIC_SCALE, DATETIME_PRECISION, IS_NULLABLE FROM INFORMATION_SCHEMA.COLUMNS ORDER BY ORDINAL_POSITION":                        "a|varchar|20|NULL|NULL|NULL|NO b|decimal|NULL|9|2|NULL|YES c|datetime2|NULL|NULL|NULL|3|NO d|nvarchar|-1|NULL|NULL|NULL|YES rv|timestamp|NULL|NULL|NULL|NULL|NO",
		"SELECT k.CONSTRAINT_TYPE, u.COLUMN_NAME FROM INFORMATION_SCHEMA.TABLE_CONSTRAINTS AS k JOIN INFORMATION_SCHEMA.KEY_COLUMN_USAGE AS u ON u.CONSTRAINT_NAME = k.CONSTRAINT_NAME ORDER BY u.ORDINAL_POSITION": "PRIMARY KEY|c PRIMARY KEY|a",
	} {
		if got := s.query(sql); got != want {
			t.Errorf("%s\n got %s\nwant %s", sql, got, want)
		}
	}
}

// What a database lacks is refused, and nothing beside it.
func TestLacks(t *testing.T) {
	tests := []struct {
		lack, sql string
		want      int32
		beside    string
	}{
		{"sys.partitions", "SELECT object_id FROM sys.partitions", 208, "SELECT object_id FROM sys.indexes"},
		{"sys.databases.create_date", "SELECT create_date FROM sys.databases", 207, "SELECT name FROM sys.databases"},
		{"MIN_ACTIVE_ROWVERSION", "SELECT MIN_ACTIVE_ROWVERSION()", 195, "SELECT @@DBTS"},
		{"@@DBTS", "SELECT @@DBTS", 33557097, "SELECT MIN_ACTIVE_ROWVERSION()"},
		{"SET LOCK_TIMEOUT", "SET LOCK_TIMEOUT 5", 33557097, "SET DEADLOCK_PRIORITY LOW"},
		{"SET TRANSACTION ISOLATION LEVEL SNAPSHOT", "SET TRANSACTION ISOLATION LEVEL SNAPSHOT", 33557097, "SET TRANSACTION ISOLATION LEVEL READ COMMITTED"},
		{"OPTION", "SELECT 1 OPTION (MAXDOP 1)", 33557097, "SELECT 1"},
		{"OPTION LOOP JOIN", "SELECT 1 OPTION (LOOP JOIN)", 33557097, "SELECT 1 OPTION (MAXDOP 1)"},
		{"COLLATE Latin1_General_CI_AS", "SELECT 'a' COLLATE Latin1_General_CI_AS", 448, "SELECT 'a' COLLATE Latin1_General_CS_AS"},
	}
	for _, tt := range tests {
		s := newServer(t, engine.DatabaseOptions{AllowSnapshot: true, Lacks: []string{tt.lack}}).session(t)
		if _, err := s.try(tt.sql); number(err) != tt.want {
			t.Errorf("%s: %v, want error %d", tt.sql, err, tt.want)
		}
		s.exec(tt.beside)
	}
	s := newServer(t, engine.DatabaseOptions{Lacks: []string{"rows of sys.index_columns"}}).session(t)
	s.exec("CREATE TABLE t (a int NOT NULL PRIMARY KEY)")
	if got := s.query("SELECT COUNT(*) FROM sys.index_columns") + s.query("SELECT COUNT(*) FROM sys.indexes"); got != "01" {
		t.Errorf("rows of views: %s", got)
	}
}
