//go:build unix

package trust_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"

	"tidemark/internal/command/commandtest"
	"tidemark/internal/pgtest"
)

// A customer's key is changed while rows go up: both keys open the customer, the
// agent goes over to the new one with a reload, the old one ends, and no request
// of the agent was refused on the way.
func TestKeyRotation(t *testing.T) {
	s := newStage(t)
	dsn := pgtest.Start(t)
	s.env = append(s.env, "TIDEMARK_STORE="+dsn)
	source := startSource(t, "Pass-1")
	host, port, err := net.SplitHostPort(source.Addr())
	if err != nil {
		t.Fatal(err)
	}
	api := commandtest.FreeAddress()
	old := s.run(false, "", "tidemark-cloud", "customers", "add", "acme")
	s.write("cloud.key", old)
	s.write("sql.password", "Pass-1")
	s.write("tidemark.yaml", fmt.Sprintf(`
customer: acme
cloud: {url: "http://%s", key: "${file:cloud.key}", proxy: none}
state_dir: state
defaults: {interval: 1s, limits: {batch_rows: 64}}
source: {server: %s, port: %s, database: site, user: %s, password: "${file:sql.password}", encrypt: "off", tables: [dbo.t]}
`, api, host, port, login))
	endServer := s.start("server", "tidemark-cloud", "serve", "--listen", api, "--log-level", "debug")
	s.answers(api)
	endAgent := s.start("agent", "tidemark", "run", "--config", "tidemark.yaml")

	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(t.Context())) }()
	next := 1
	// more waits until rows that were written now are in the cloud.
	more := func(when string) {
		t.Helper()
		for range 200 {
			if err := source.DB().Exec(t.Context(), fmt.Sprintf("INSERT INTO dbo.t (id, mail) VALUES (%d, 'x')", next)); err != nil {
				t.Fatal(err)
			}
			next++
		}
		s.until(when, func() bool {
			var n int
			return conn.QueryRow(t.Context(), `SELECT count(*) FROM data.dbo_t`).Scan(&n) == nil && n == next
		})
	}
	more("with the old key")
	fresh := s.run(false, "", "tidemark-cloud", "customers", "rotate", "acme")
	if fresh == old || !strings.HasPrefix(fresh, "tmk_acme_") {
		t.Fatal("no new key")
	}
	for _, key := range []string{old, fresh} {
		// A server looks for a key that it does not know once a second.
		s.until("both keys open the customer", func() bool { return ask(t, api, key) == http.StatusNotFound })
	}
	more("while both are valid")
	s.write("cloud.key", fresh)
	s.run(true, "", "tidemark", "reload", "--config", "tidemark.yaml")
	more("after the reload")
	// The old one's time is over.
	hash := sha256.Sum256([]byte(old))
	if tag, err := conn.Exec(t.Context(), "UPDATE tidemark.keys SET expires = now() - interval '1 minute' WHERE hash = $1", hash[:]); err != nil || tag.RowsAffected() != 1 {
		t.Fatalf("%v, %v", tag, err)
	}
	s.until("the old key is refused", func() bool {
		ask(t, api, fresh+"x") // one that is not known has the server read the keys again
		return ask(t, api, old) == http.StatusUnauthorized
	})
	more("with the new key alone")
	endAgent(syscall.SIGTERM)
	endServer(syscall.SIGTERM)

	s.mu.Lock()
	defer s.mu.Unlock()
	for line := range bytes.Lines(s.said["server"].Bytes()) {
		if bytes.Contains(line, []byte(`"status":401`)) && !bytes.Contains(line, []byte(nowhere)) {
			t.Errorf("refused: %s", line)
		}
	}
	// A cloud that is away for a moment (cloud.away) is the machine's doing: a
	// key that is refused is a problem of the table.
	for _, event := range []string{"table.failed", "table.problem", "config.refused"} {
		if strings.Contains(s.said["agent"].String(), event) {
			t.Errorf("the agent tells of %s:\n%s", event, s.said["agent"])
		}
	}
}

// nowhere is a table that the agent does not ask for.
const nowhere = "/v1/customers/acme/tables/nowhere"

// ask asks the API with a key for what is not there.
func ask(t *testing.T, address, key string) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address+nowhere, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+key)
	transport := &http.Transport{DisableKeepAlives: true}
	got, err := transport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = got.Body.Close()
	return got.StatusCode
}
