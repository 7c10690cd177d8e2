package postgres_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
)

// explained is a plan as EXPLAIN writes it.
type explained struct {
	Query string `json:"Query Text"`
	Plan  planNode
}

type planNode struct {
	Type      string `json:"Node Type"`
	Operation string
	Schema    string
	Relation  string `json:"Relation Name"`
	Output    []string
	Filter    string
	Index     string `json:"Index Cond"`
	Recheck   string `json:"Recheck Cond"`
	TID       string `json:"TID Cond"`
	Plans     []planNode
}

func (n planNode) conditions() string {
	return strings.Join([]string{n.Filter, n.Index, n.Recheck, n.TID}, " ")
}

// A shardCheck holds statements against the keys of a cluster, and against what
// Citus takes ("SQL Support and Workarounds" in its manual). What reads no table
// but catalogs, such as who takes a slot or another advisory lock, asks no
// node: that is the coordinator's memory.
type shardCheck struct {
	keys     map[string]string // by table; "" for reference tables
	position map[string]int    // of the key in a row
	volatile map[string]bool   // functions that give something else each time
	mutable  map[string]bool   // these, and those that depend on a setting or the time
	customer string            // that the statement is for; "" until one is met
	touched  map[string]bool   // the statement's distributed tables
}

func newShardCheck(t *testing.T, conn *pgx.Conn) *shardCheck {
	t.Helper()
	c := &shardCheck{keys: distributionKeys(t, conn), position: map[string]int{}, volatile: map[string]bool{}, mutable: map[string]bool{}}
	for name, key := range c.keys {
		if key != "" {
			var at int
			if err := conn.QueryRow(t.Context(), "SELECT attnum - 1 FROM pg_attribute JOIN pg_class c ON c.oid = attrelid WHERE relnamespace::regnamespace || '.' || relname = $1 AND attname = $2", name, key).Scan(&at); err != nil {
				t.Fatal(err)
			}
			c.position[name] = at
		}
	}
	rows, err := conn.Query(t.Context(), "SELECT proname::text, bool_and(provolatile = 'v') FROM pg_proc GROUP BY 1 HAVING bool_and(provolatile <> 'i')")
	if err != nil {
		t.Fatal(err)
	}
	var name string
	var volatile bool
	if _, err := pgx.ForEachRow(rows, []any{&name, &volatile}, func() error {
		c.mutable[name], c.volatile[name] = true, volatile
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return c
}

// statement returns what is wrong with one.
func (c *shardCheck) statement(p explained) []string {
	c.customer, c.touched = "", map[string]bool{}
	wrong := c.node(p.Plan)
	if _, set, ok := strings.Cut(p.Query, "DO UPDATE SET"); ok {
		for _, name := range calls(set, c.mutable) {
			wrong = append(wrong, "updates, where a row is there already, with "+name)
		}
	}
	return wrong
}

// node returns what is wrong with a part of a plan.
func (c *shardCheck) node(n planNode) (wrong []string) {
	name := n.Schema + "." + n.Relation
	key, known := c.keys[name]
	switch {
	case n.Relation == "" || strings.HasPrefix(n.Schema, "pg_"):
	case !known:
		wrong = append(wrong, "a table of no kind: "+name)
	case n.Type == "ModifyTable" && n.Operation != "Insert": // its scan is below
		for _, called := range calls(strings.Join(append(n.Plans[0].Output, n.Plans[0].conditions()), " "), c.volatile) {
			wrong = append(wrong, fmt.Sprintf("%s of %s with %s", n.Operation, name, called))
		}
	case key == "":
	case n.Type == "ModifyTable":
		c.touched[name] = true
		if out := n.Plans[0].Output; len(out) <= c.position[name] || !c.isFor(constant, out[c.position[name]]) {
			wrong = append(wrong, fmt.Sprintf("inserts into %s for a customer that is no constant, or another: %v", name, out))
		}
	default:
		c.touched[name] = true
		bound := regexp.MustCompile(`\(?(?:\w+\.)?` + key + ` = '(\w+)'::text`)
		if !c.isFor(bound, n.conditions()) {
			wrong = append(wrong, fmt.Sprintf("%s of %s for no one customer, or another (%s)", n.Type, name, n.conditions()))
		}
	}
	for _, p := range n.Plans {
		wrong = append(wrong, c.node(p)...)
	}
	return wrong
}

var constant = regexp.MustCompile(`^'(\w+)'::text$`)

// isFor tells whether a text names one customer, who is the statement's.
func (c *shardCheck) isFor(names *regexp.Regexp, text string) bool {
	m := names.FindStringSubmatch(text)
	if m == nil || c.customer != "" && m[1] != c.customer {
		return false
	}
	c.customer = m[1]
	return true
}

var call = regexp.MustCompile(`(\w+)\(`)

// calls are those of the functions that an expression calls.
func calls(text string, functions map[string]bool) (names []string) {
	for _, m := range call.FindAllStringSubmatch(text, -1) {
		if functions[m[1]] {
			names = append(names, m[1])
		}
	}
	return names
}
