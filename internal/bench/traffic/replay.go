package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"tidemark/cloud/traffic/replay/replaytest"
	"tidemark/internal/pgtest"
)

// fleetSize is how many customers the recorded traffic has.
const fleetSize = 50

// measureReplay records about so many requests against one installation of
// the shipped programs, replays them at full speed to another, which begins
// with a copy of the database, and compares both, table by table.
func measureReplay(ctx context.Context, dir string, requests int) (err error) {
	pg, err := pgtest.Launch(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, pg.Close()) }()
	original, err := pg.CreateDatabase(ctx)
	if err != nil {
		return err
	}
	cloud := filepath.Join(dir, "tidemark-cloud")
	keys, err := addCustomers(ctx, cloud, pg.DSN(original))
	if err != nil {
		return err
	}
	const copied = "copied"
	if err := copyDatabase(ctx, pg.DSN("postgres"), original, copied); err != nil {
		return err
	}
	file := filepath.Join(dir, "recording")
	took, refused, err := record(ctx, cloud, pg.DSN(original), file, keys, requests)
	if err != nil {
		return err
	}
	info, err := os.Stat(file)
	if err != nil {
		return err
	}
	fmt.Printf("a recording of about %d requests of %d customers in %.0f s (%d refused and sent again): %.1f MB\n", requests, fleetSize, took.Seconds(), refused, float64(info.Size())/1e6)
	text, err := replayTo(ctx, dir, cloud, pg.DSN(copied), file)
	fmt.Print(indent(text))
	if err != nil {
		return err
	}
	tables, rows, differ, err := compare(ctx, pg.DSN(original), pg.DSN(copied))
	if err != nil {
		return err
	}
	verdict("replay", fmt.Sprintf("%d tables, %d rows, %d tables differ", tables, rows, differ), "the copy is equal to the original, table by table", differ == 0 && tables > 0)
	return nil
}

func addCustomers(ctx context.Context, cloud, dsn string) (map[string]string, error) {
	keys := map[string]string{}
	for i := range fleetSize {
		id := fmt.Sprintf("customer%02d", i)
		cmd := exec.CommandContext(ctx, cloud, "customers", "add", id)
		cmd.Env = append(os.Environ(), "TIDEMARK_STORE="+dsn)
		out, err := cmd.Output()
		if err != nil {
			return nil, fmt.Errorf("add %s: %w", id, err)
		}
		keys[id] = strings.TrimSpace(string(out))
	}
	return keys, nil
}

func copyDatabase(ctx context.Context, dsn, from, to string) error {
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, "CREATE DATABASE "+pgx.Identifier{to}.Sanitize()+" TEMPLATE "+pgx.Identifier{from}.Sanitize())
	return errors.Join(err, conn.Close(ctx))
}

// serve runs the API until what it returns is called.
func serve(ctx context.Context, cloud, dsn string, args ...string) (url string, stop func() error, err error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	address := l.Addr().String()
	if err := l.Close(); err != nil {
		return "", nil, err
	}
	cmd := exec.CommandContext(ctx, cloud, append([]string{"serve", "--listen", address, "--log-level", "error"}, args...)...)
	cmd.Env = append(os.Environ(), "TIDEMARK_STORE="+dsn)
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		return "", nil, err
	}
	stop = func() error { return errors.Join(cmd.Process.Signal(os.Interrupt), cmd.Wait()) }
	for until := time.Now().Add(30 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/readyz", nil)
		if err != nil {
			return "", nil, errors.Join(err, stop())
		}
		a, err := http.DefaultClient.Do(r)
		if err == nil {
			_ = a.Body.Close()
			if a.StatusCode == http.StatusOK {
				return "http://" + address, stop, nil
			}
		}
		if time.Now().After(until) {
			return "", nil, errors.Join(errors.New("the API does not become ready"), err, stop())
		}
	}
}

func record(ctx context.Context, cloud, dsn, file string, keys map[string]string, requests int) (took time.Duration, refused int64, err error) {
	url, stop, err := serve(ctx, cloud, dsn, "--record", file, "--record-bytes", fmt.Sprint(int64(8)<<30), "--record-for", "10h")
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, stop()) }()
	transport := &http.Transport{MaxIdleConnsPerHost: 16, DisableCompression: true}
	defer transport.CloseIdleConnections()
	f := &replaytest.Fleet{URL: url, Client: &http.Client{Transport: transport}, Keys: keys, AtOnce: 12, Seed: 1, Rows: 20}
	begun := time.Now()
	err = f.Run(ctx, requests/fleetSize/replaytest.Tables)
	return time.Since(begun), f.Refused.Load(), err
}

func replayTo(ctx context.Context, dir, cloud, dsn, file string) (text string, err error) {
	cmd := exec.CommandContext(ctx, cloud, "customers", "keys")
	cmd.Env = append(os.Environ(), "TIDEMARK_STORE="+dsn)
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("make keys: %w", err)
	}
	keys := filepath.Join(dir, "keys")
	if err := os.WriteFile(keys, out, 0o600); err != nil {
		return "", err
	}
	url, stop, err := serve(ctx, cloud, dsn)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, stop()) }()
	said, err := exec.CommandContext(ctx, filepath.Join(dir, "tidemark-traffic"), "replay", "--to", url, "--keys", keys, "--speed", "0", file).CombinedOutput()
	if err != nil {
		var ended *exec.ExitError
		if errors.As(err, &ended) && ended.ExitCode() == 1 {
			err = nil // answers of another status are in the text, and rows are compared
		}
	}
	return string(said), err
}

// compare counts tables of rows, rows, and tables that are not the same in both.
func compare(ctx context.Context, original, copied string) (tables, rows, differ int, err error) {
	sums := map[string]string{}
	for i, dsn := range []string{original, copied} {
		found, n, err := sumUp(ctx, dsn)
		if err != nil {
			return 0, 0, 0, err
		}
		if i == 0 {
			sums, tables, rows = found, len(found), n
			continue
		}
		for name, sum := range sums {
			if found[name] != sum {
				differ++
			}
		}
		differ += max(0, len(found)-len(sums))
	}
	return tables, rows, differ, nil
}

// sumUp returns a hash of all rows of each customer's part of each table, and
// of its version.
func sumUp(ctx context.Context, dsn string) (sums map[string]string, rows int, err error) {
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return nil, 0, err
	}
	defer func() { err = errors.Join(err, conn.Close(ctx)) }()
	names, err := conn.Query(ctx, "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname = 'data' ORDER BY 1")
	if err != nil {
		return nil, 0, err
	}
	tables, err := pgx.CollectRows(names, pgx.RowTo[string])
	if err != nil {
		return nil, 0, err
	}
	sums = map[string]string{}
	for _, table := range tables {
		parts, err := conn.Query(ctx, `SELECT customer_id, count(*), md5(string_agg(t::text, ';' ORDER BY t::text)) FROM `+table+` t GROUP BY 1`)
		if err != nil {
			return nil, 0, err
		}
		for parts.Next() {
			var customer, sum string
			var n int
			if err := parts.Scan(&customer, &n, &sum); err != nil {
				return nil, 0, err
			}
			sums[table+" "+customer] = sum
			rows += n
		}
		if err := parts.Err(); err != nil {
			return nil, 0, err
		}
	}
	return sums, rows, nil
}

func indent(text string) string {
	return "    " + strings.ReplaceAll(strings.TrimRight(text, "\n"), "\n", "\n    ") + "\n"
}
