package conformance_test

import (
	"flag"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/goleak"

	"tidemark/cloud"
	"tidemark/cloud/conformance"
	"tidemark/cloud/postgres"
	"tidemark/cloud/sqlite"
	"tidemark/internal/pgtest"
)

var (
	baseURL  = flag.String("base-url", os.Getenv("TIDEMARK_URL"), "URL of the server to hold against the contract (or TIDEMARK_URL); the key is in TIDEMARK_KEY")
	customer = flag.String("customer", os.Getenv("TIDEMARK_CUSTOMER"), "customer that the key opens (or TIDEMARK_CUSTOMER)")
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		if err := pgtest.Stop(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
		os.Exit(code)
	}))
}

func TestBaseURL(t *testing.T) {
	if *baseURL == "" {
		t.Skip("no -base-url: only the servers of this repository are tested")
	}
	if *customer == "" || os.Getenv("TIDEMARK_KEY") == "" {
		t.Fatal("-base-url needs a customer, and its key in TIDEMARK_KEY: see the package's documentation")
	}
	conformance.Run(t, conformance.Options{BaseURL: *baseURL, Customer: *customer, Key: os.Getenv("TIDEMARK_KEY")})
}

func TestSQLite(t *testing.T) {
	s, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "cloud.db"))
	if err != nil {
		t.Fatal(err)
	}
	run(t, s)
}

func TestPostgres(t *testing.T) {
	s, err := postgres.Open(t.Context(), pgtest.Start(t), postgres.Options{Connections: 8})
	if err != nil {
		t.Fatal(err)
	}
	run(t, s)
}

// run starts a server over the store. Two customers: the suite needs one that
// its key does not open.
func run(t *testing.T, store cloud.Store) {
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	var secret string
	for _, id := range []string{"somebody-else", "acme_1.site-2"} {
		s, key := cloud.NewKey(id, time.Now())
		if err := store.AddCustomer(t.Context(), cloud.Customer{ID: id, Created: time.Now()}, key); err != nil {
			t.Fatal(err)
		}
		secret = s
	}
	server := httptest.NewServer(cloud.New(cloud.Config{Store: store}))
	t.Cleanup(server.Close)
	conformance.Run(t, conformance.Options{BaseURL: server.URL, Customer: "acme_1.site-2", Key: secret})
}
