package tds_test

import (
	"context"
	"crypto/tls"
	"database/sql"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	mssql "github.com/microsoft/go-mssqldb"

	"tidemark/internal/mssqltest/tds"
)

func TestEncryption(t *testing.T) {
	for _, c := range []struct {
		offer   tds.Encryption
		client  string
		refused string // "" if a login succeeds
		whole   bool   // the session is encrypted, not just the login
	}{
		{tds.EncryptionOptional, "disable", "", false},
		{tds.EncryptionOptional, "false", "", false},
		{tds.EncryptionOptional, "true", "", true},
		{tds.EncryptionRequired, "false", "", true},
		{tds.EncryptionRequired, "true", "", true},
		{tds.EncryptionUnavailable, "disable", "", false},
		{tds.EncryptionUnavailable, "false", "", false},
		{tds.EncryptionUnavailable, "true", "server does not support encryption", false},
	} {
		for _, version := range []string{"1.2", "1.3"} {
			t.Run(fmt.Sprintf("%d/%s/%s", c.offer, c.client, version), func(t *testing.T) {
				f := serve(t, tds.Options{Encryption: c.offer}, numbers(3))
				settings := login + "TrustServerCertificate=true;tlsmin=" + version + ";encrypt=" + c.client
				for _, db := range []*sql.DB{f.open(t, settings), f.openInMemory(t, settings)} {
					var n int
					err := db.QueryRowContext(deadline(t), "select n").Scan(&n)
					if c.refused != "" {
						if err == nil || !strings.Contains(err.Error(), c.refused) {
							t.Errorf("error %v, want %q", err, c.refused)
						}
						continue
					}
					if err != nil || n != 1 {
						t.Errorf("%d, %v", n, err)
						continue
					}
					want := fmt.Sprintf("encrypted=%v", c.whole)
					if log := f.h.taken(); !strings.HasSuffix(log[0], want) {
						t.Errorf("%v, want %s", log, want)
					}
				}
			})
		}
	}
}

func TestCertificateIsChecked(t *testing.T) {
	own, err := tds.SelfSigned("127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	f := serve(t, tds.Options{Certificate: own}, numbers(1))
	other, err := tds.SelfSigned("127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		certificate *tls.Certificate
		good        bool
	}{{own, true}, {other, false}} {
		file := filepath.Join(t.TempDir(), "cert.pem")
		block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.certificate.Certificate[0]})
		if err := os.WriteFile(file, block, 0o600); err != nil {
			t.Fatal(err)
		}
		db := f.open(t, login+"encrypt=true;TrustServerCertificate=false;certificate="+file)
		if err := db.PingContext(deadline(t)); (err == nil) != c.good {
			t.Errorf("good certificate %v: %v", c.good, err)
		}
	}
	if got := f.Certificate(); got == nil || !got.Equal(own.Leaf) {
		t.Error("the server shows another certificate")
	}
}

func TestLogin(t *testing.T) {
	f := serve(t, tds.Options{}, numbers(1))
	db := f.open(t, login+"database=Größe;app name=tests;ApplicationIntent=ReadOnly")
	if err := db.PingContext(deadline(t)); err != nil {
		t.Fatal(err)
	}
	if got, want := f.h.taken()[0], "login database=Größe app=tests readonly=true encrypted=false"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	err := f.open(t, "user id=sa;password=wrong").PingContext(deadline(t))
	wantError(t, err, 18456, 14, "Login failed for user 'sa'.")
	err = f.open(t, "user id=sa;password=").PingContext(deadline(t))
	wantError(t, err, 18456, 14, "Login failed for user 'sa'.")
}

func wantError(t *testing.T, err error, number int32, class uint8, message string) {
	t.Helper()
	var e mssql.Error
	if !errors.As(err, &e) || e.Number != number || e.Class != class || !strings.Contains(e.Message, message) {
		t.Errorf("%#v, want %d, class %d: %s", err, number, class, message)
	}
}

// Requests and answers of many packets pass in every packet size, with and
// without encryption.
func TestPacketSizes(t *testing.T) {
	data := []byte(strings.Repeat("0123456789", 20_001))
	for _, size := range []int{0, 512, 513, 4096, 16383, 16384, 32767} {
		for _, encrypt := range []string{"disable", "false", "true"} {
			f := serve(t, tds.Options{}, func(_ context.Context, _ string, params []tds.Param, w tds.Writer) error {
				return errors.Join(
					w.Columns([]tds.Column{{Name: "b", Type: params[0].Type}}),
					w.Row([][]byte{params[0].Value}),
					w.Done(1, true))
			})
			db := f.open(t, fmt.Sprintf("%sencrypt=%s;TrustServerCertificate=true;packet size=%d;app name=%s",
				login, encrypt, size, strings.Repeat("a", 100)))
			var got []byte
			if err := db.QueryRowContext(deadline(t), "select @p1", data).Scan(&got); err != nil {
				t.Errorf("%d, encrypt %s: %v", size, encrypt, err)
			} else if string(got) != string(data) {
				t.Errorf("%d, encrypt %s: %d bytes came back", size, encrypt, len(got))
			}
		}
	}
}

func TestTransactions(t *testing.T) {
	f := serve(t, tds.Options{}, func(_ context.Context, _ string, _ []tds.Param, w tds.Writer) error { return w.Done(1, true) })
	db := f.open(t, login)
	db.SetMaxOpenConns(1)
	ctx := deadline(t)
	for _, level := range []sql.IsolationLevel{sql.LevelDefault, sql.LevelReadUncommitted, sql.LevelReadCommitted,
		sql.LevelRepeatableRead, sql.LevelSerializable, sql.LevelSnapshot} {
		tx, err := db.BeginTx(ctx, &sql.TxOptions{Isolation: level})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tx.ExecContext(ctx, "update t", 1); err != nil {
			t.Fatal(err)
		}
		if level == sql.LevelSnapshot {
			err = tx.Rollback()
		} else {
			err = tx.Commit()
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	want := []string{"login database= app=go-mssqldb readonly=false encrypted=false",
		"reset", "begin 0", "commit 1", "reset", "begin 1", "commit 2", "reset", "begin 2", "commit 3",
		"reset", "begin 3", "commit 4", "reset", "begin 4", "commit 5", "reset", "begin 5", "rollback 6"}
	if diff := cmp.Diff(want, f.h.taken()); diff != "" {
		t.Error(diff)
	}
}

// A transaction that a batch begins or that an error ends is known to the
// client: its next request carries the right descriptor.
func TestBatchesChangeTheTransaction(t *testing.T) {
	f := serve(t, tds.Options{}, func(_ context.Context, _ string, _ []tds.Param, w tds.Writer) error { return w.Done(1, true) })
	ctx := deadline(t)
	c, err := f.open(t, login).Conn(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	for _, step := range []struct {
		sql  string
		fail bool
	}{{"begin tran", false}, {"update t", false}, {"abort tran", true}, {"update t", false}} {
		if _, err := c.ExecContext(ctx, step.sql); (err != nil) != step.fail {
			t.Fatalf("%s: %v", step.sql, err)
		}
	}
}

func TestReset(t *testing.T) {
	f := serve(t, tds.Options{}, numbers(1))
	db := f.open(t, login)
	db.SetMaxOpenConns(1)
	for range 3 {
		if _, err := db.ExecContext(deadline(t), "select n"); err != nil {
			t.Fatal(err)
		}
	}
	if got := strings.Join(f.h.taken()[1:], " "); got != "reset reset reset" {
		t.Errorf("%q, want a reset before each statement", got)
	}
}

func TestCloseEndsSessions(t *testing.T) {
	started := make(chan struct{})
	f := serve(t, tds.Options{}, func(ctx context.Context, _ string, _ []tds.Param, _ tds.Writer) error {
		close(started)
		<-ctx.Done()
		return ctx.Err()
	})
	failed := make(chan error, 1)
	db := f.open(t, login)
	go func() {
		_, err := db.ExecContext(context.Background(), "wait forever")
		failed <- err
	}()
	<-started
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if log := f.h.taken(); log[len(log)-1] != "close" {
		t.Errorf("%v: the session was not closed", log)
	}
	select {
	case err := <-failed:
		if err == nil {
			t.Error("the statement succeeded")
		}
	case <-time.After(2 * time.Minute):
		t.Fatal("the client still waits")
	}
}
