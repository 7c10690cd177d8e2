package config_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"tidemark/agent/config"
)

func TestRedacted(t *testing.T) {
	c, err := config.Parse("tidemark.yaml", []byte(`# the old password was hunter2
customer: acme # hunter2
cloud:
  url: "https://cloud.example" # hunter2 "
  key: ${env:KEY}   # hunter2
  proxy: http://proxy:3128
sources:
  - name: a
    dsn: "sqlserver://u:${file:hunter}@db?database=d&encrypt=true"
    tables: [dbo.a, {name: "dbo.b#c", exclude_columns: ["x # y"]}]   # hunter2
  # - hunter2
  - {name: b, server: db, database: d, user: u, password: "${env:P}", tables: [dbo.c]}
  - name: c
    dsn: >-
      server=db;user id=u;password=${env:PW};
      database=d;encrypt=true;app name=hunter2
    tables: [dbo.d]
`))
	if err != nil {
		t.Fatal(err)
	}
	got, hidden := c.Redacted()
	want := `customer: acme
cloud:
  url: "https://cloud.example"
  key: ${env:KEY}***
  proxy: ***
sources:
  - name: a
    dsn: ${file:hunter}***
    tables: [dbo.a, {name: "dbo.b#c", exclude_columns: ["x # y"]}]
  - {name: b, server: db, database: d, user: u, password: ${env:P}***
  - name: c
    dsn: ***
${env:PW}***
***
    tables: [dbo.d]
`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if hidden != 12 {
		t.Errorf("%d lines are said to be changed", hidden)
	}
}
