package postgres

import (
	"io/fs"
	"testing"
	"testing/fstest"
)

// AddMigration adds a migration behind the others until the test ends.
func AddMigration(t *testing.T, sql string) {
	t.Helper()
	files := fstest.MapFS{"migrations/9999_added.sql": {Data: []byte(sql)}}
	names, err := fs.Glob(embedded, "migrations/*.sql")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		text, err := fs.ReadFile(embedded, name)
		if err != nil {
			t.Fatal(err)
		}
		files[name] = &fstest.MapFile{Data: text}
	}
	migrationFiles = files
	t.Cleanup(func() { migrationFiles = embedded })
}

// MigrationTime is how long a start may take for migrations.
const MigrationTime = migrationTime

// ReadToken is the statement that reads what stands for them.
const ReadToken = readToken

// ReadVersions is the statement that reads a customer's versions.
const ReadVersions = readVersions

// OfCustomer are the tables that the removal of a customer empties.
var OfCustomer = ofCustomer

// AlwaysStage has all batches of a store that is not in use yet go by the
// staging table.
func AlwaysStage(s *Store) { s.stages = true }

// CountIO is the statement that reads what a server of a version has counted.
func CountIO(major int) string { return countIO(major) }
