package main

import (
	"cmp"
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"

	"tidemark/internal/fault"
)

// askLogin finds out who logs in to the server, and how that is proved.
func (i *initiation) askLogin(ctx context.Context) error {
	kinds := []string{"sql", "windows", "kerberos", "entra"}
	usual := "sql"
	if runtime.GOOS == "windows" && i.User == "" {
		usual = "windows"
	}
	if err := i.oneOf(ctx, &i.Authentication, "authentication", "who logs in: sql (a login of the server), windows, kerberos or entra", usual, kinds); err != nil {
		return err
	}
	proved := i.User != "" // by a password
	var err error
	switch i.Authentication {
	case "kerberos":
		proved, err = i.askKerberos(ctx)
	case "entra":
		proved, err = i.askEntra(ctx)
	case "windows":
		proved, err = i.askAccount(ctx)
	case "sql":
		proved, err = true, i.need(ctx, &i.User, "user", "login")
	default: // nobody can be asked, and the user says it
		if runtime.GOOS != "windows" {
			proved, err = true, i.need(ctx, &i.User, "user", "login")
		}
	}
	if err != nil {
		return err
	}
	return i.askPassword(ctx, proved)
}

// askAccount asks for an account of a domain; on Windows the service's own
// needs no name.
func (i *initiation) askAccount(ctx context.Context) (proved bool, err error) {
	switch {
	case runtime.GOOS != "windows":
		err = i.need(ctx, &i.User, "user", `account, DOMAIN\name`)
	case i.prompt != nil:
		i.User, err = i.prompt.ask(ctx, `account, DOMAIN\name (Enter: the service's own)`, i.User)
	}
	return i.User != "", err
}

func (i *initiation) askKerberos(ctx context.Context) (proved bool, err error) {
	if i.prompt != nil {
		if i.User, err = i.prompt.ask(ctx, "account, name@REALM (Enter: whoever has the tickets)", i.User); err != nil {
			return false, err
		}
		if i.User != "" {
			i.Kerberos.Keytab, err = i.prompt.ask(ctx, "file with its keys, a keytab (Enter: a password)", i.Kerberos.Keytab)
		}
	}
	return i.User != "" && i.Kerberos.Keytab == "" && i.Kerberos.Cache == "", err
}

func (i *initiation) askEntra(ctx context.Context) (proved bool, err error) {
	methods := []string{"default", "service-principal", "managed-identity"}
	if err := i.oneOf(ctx, &i.Entra.Method, "entra-method", "identity: default (what the environment offers), service-principal or managed-identity", methods[0], methods); err != nil {
		return false, err
	}
	switch i.Entra.Method {
	case "service-principal":
		if err := i.need(ctx, &i.User, "user", "the application's id, with @tenant where it is not the server's"); err != nil {
			return false, err
		}
		if i.prompt != nil {
			i.Entra.Certificate, err = i.prompt.ask(ctx, "file with its certificate and key (Enter: a secret)", i.Entra.Certificate)
		}
		return i.Entra.Certificate == "", err
	case "managed-identity":
		if i.prompt != nil {
			i.User, err = i.prompt.ask(ctx, "client id, where the machine has several (Enter: its own)", i.User)
		}
	default:
		i.User = ""
	}
	return false, err
}

// askPassword finds the password, where there is to be one.
func (i *initiation) askPassword(ctx context.Context, wanted bool) (err error) {
	before := i.password
	if i.password = (initSecret{}); !wanted {
		return nil
	}
	if i.password, err = i.secret(ctx, "sql.password", "its password", i.Password); err != nil {
		return err
	}
	if i.password.value == "" || before.keep && !i.password.keep { // Enter, after one that did not serve
		i.password = before
	}
	if i.password.value == "" {
		return missing("password", "or keep it before: `tidemark secret set sql.password`")
	}
	return nil
}

// oneOf asks for one of a few words. Where nobody can be asked it may stay
// open.
func (i *initiation) oneOf(ctx context.Context, answer *string, flag, question, usual string, words []string) error {
	for tries := 0; ; tries++ {
		if i.prompt != nil {
			typed, err := i.prompt.ask(ctx, question, cmp.Or(*answer, usual))
			if err != nil {
				return err
			}
			*answer = strings.ToLower(typed)
		}
		if *answer == "" || slices.Contains(words, *answer) {
			return nil
		}
		err := usageError{fault.New("make a configuration", fmt.Errorf("%s: %q is not one of %s", flag, *answer, strings.Join(words, ", ")), "")}
		if *answer = ""; i.prompt == nil || tries == 2 {
			return err
		}
		printError(i.err, err)
	}
}
