package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"tidemark/agent/config"
	"tidemark/agent/secrets"
	"tidemark/internal/fault"
	"tidemark/uploader"
)

// An initSecret is a secret on its way from an answer to the store.
type initSecret struct {
	name      string // in the store
	value     string
	reference string // in the configuration file
	keep      bool   // it is not in the store yet
}

// stored names a secret that is to be kept.
func stored(name, value string, keep bool) initSecret {
	return initSecret{name: name, value: value, reference: "${secret:" + name + "}", keep: keep}
}

// secret finds a secret: in the answers, in the store, or by asking. A person
// may press Enter to go by what is in the store.
func (i *initiation) secret(ctx context.Context, name, question string, answer config.Secret) (initSecret, error) {
	if !answer.IsZero() {
		value, err := answer.Value()
		if err != nil {
			return initSecret{}, configError{fault.New("read the answers", err, "")}
		}
		if lasting := answer.Lasting(); lasting != "" {
			return initSecret{name: name, value: value, reference: lasting}, nil
		}
		return stored(name, value, true), nil
	}
	there, err := secrets.Beside(i.configPath).Get(name)
	if err != nil && !errors.Is(err, secrets.ErrNone) {
		return initSecret{}, aboutSecret("read the secret "+name, err)
	}
	if i.prompt != nil {
		if there != "" {
			question += " (Enter: the one that is kept)"
		}
		typed, err := i.prompt.secret(ctx, question)
		if err != nil || typed != "" {
			return stored(name, typed, true), err
		}
	}
	return stored(name, there, false), nil
}

// askCloud finds out who the site is. A code is not exchanged yet: it is good
// once, and the rest may not work.
func (i *initiation) askCloud(ctx context.Context) (err error) {
	if err := i.need(ctx, &i.URL, "url", "address of the cloud API"); err != nil {
		return err
	}
	if err := config.CheckURL(i.URL, i.AllowHTTP); err != nil {
		return usageError{fault.New("read the address of the cloud", err, "for example https://tidemark.example.com")}
	}
	if err := i.findProxy(); err != nil {
		return err
	}
	for tries := 0; ; tries++ {
		if i.code, err = i.askCode(ctx); err != nil {
			return err
		}
		if i.code == "" {
			break
		}
		err := fitting(i.code, i.Customer)
		if err == nil {
			break
		}
		if i.prompt == nil || tries == 2 {
			return err
		}
		printError(i.err, err)
		i.code, i.Code = "", config.Secret{}
	}
	if i.code != "" {
		i.Customer, i.key = codeCustomer(i.code), stored(defaultKey, "", false)
		return nil
	}
	if err := i.need(ctx, &i.Customer, "customer", "customer, as the cloud's operator named it"); err != nil {
		return err
	}
	if i.key, err = i.secret(ctx, defaultKey, "the customer's key", i.Key); err == nil && i.key.value == "" {
		err = missing("key", "or keep it before: `tidemark secret set cloud.key`")
	}
	return err
}

// findProxy takes the proxy of the flag or the answers. One with a password
// goes to the secret store.
func (i *initiation) findProxy() error {
	if i.proxy != "" {
		if err := flagProxy(i.proxy, "give proxy in the file of answers (--from)"); err != nil {
			return err
		}
		i.proxied = initSecret{value: i.proxy, reference: i.proxy}
		return nil
	}
	value, err := i.Proxy.Value()
	switch {
	case err != nil:
		return configError{fault.New("read the answers", err, "")}
	case value == "":
	case i.Proxy.Lasting() != "":
		i.proxied = initSecret{value: value, reference: i.Proxy.Lasting()}
	case strings.Contains(value, "@"):
		i.proxied = stored("cloud.proxy", value, true)
	default:
		i.proxied = initSecret{value: value, reference: value}
	}
	return nil
}

// askCode returns the one-time code, "" where there is none.
func (i *initiation) askCode(ctx context.Context) (string, error) {
	switch {
	case i.code != "":
		return i.code, nil
	case !i.Code.IsZero():
		code, err := i.Code.Value()
		if err != nil {
			return "", configError{fault.New("read the answers", err, "")}
		}
		return code, nil
	case i.prompt != nil && i.Customer == "":
		return i.prompt.ask(ctx, "one-time code from the cloud's operator (Enter: none, a key is at hand)", "")
	}
	return "", nil
}

// enrolLast gets the key for the code, when all else has worked. A person may
// correct the code.
func (i *initiation) enrolLast(ctx context.Context) error {
	for {
		got, err := i.enroll(ctx, enrolment{
			url: i.URL, customer: i.Customer, secret: defaultKey, proxy: i.proxied.value, tls: uploader.TLS{CA: i.CloudCA},
		}, i.code)
		if err == nil {
			i.Customer, i.key = got.Customer, stored(defaultKey, got.Key, false)
			return nil
		}
		if i.prompt == nil || ctx.Err() != nil {
			return err
		}
		printError(i.err, err)
		if i.code, err = i.prompt.ask(ctx, "one-time code from the cloud's operator", i.code); err != nil {
			return err
		}
	}
}

// askSource finds out how the database is reached. When it is called again the
// answers of before are offered.
func (i *initiation) askSource(ctx context.Context) (err error) {
	if i.prompt == nil {
		if i.splitServer(i.Server); i.Server == "" {
			return missing("server", "")
		}
	} else {
		server := i.Server
		if i.Instance != "" {
			server += `\` + i.Instance
		} else if i.Port != 0 {
			server += ":" + strconv.Itoa(i.Port)
		}
		if server, err = i.prompt.ask(ctx, `SQL Server: host, host:port or host\instance`, server); err != nil {
			return err
		}
		i.splitServer(server)
	}
	if err := i.need(ctx, &i.Database, "database", "database"); err != nil {
		return err
	}
	if err := i.askLogin(ctx); err != nil {
		return err
	}
	if i.prompt != nil {
		i.Encrypt, err = i.prompt.ask(ctx, "encryption: strict, true, login or off", cmp.Or(i.Encrypt, "true"))
	}
	i.Encrypt = cmp.Or(i.Encrypt, "true")
	return err
}

// splitServer takes host:port, host,port and host\instance apart.
func (i *initiation) splitServer(text string) {
	host, instance, named := strings.Cut(text, `\`)
	if named {
		i.Server, i.Instance, i.Port = host, instance, 0
		return
	}
	at := strings.LastIndexAny(text, ":,")
	if at < 0 || strings.Count(text, ":") > 1 { // an IPv6 address
		i.Server = text
		return
	}
	if port, err := strconv.Atoi(strings.TrimSpace(text[at+1:])); err == nil {
		i.Server, i.Port, i.Instance = text[:at], port, ""
	}
}

// need asks for an answer that there must be; flag is what gives it where
// nobody can be asked.
func (i *initiation) need(ctx context.Context, answer *string, flag, question string) (err error) {
	if i.prompt == nil {
		if *answer == "" {
			return missing(flag, "")
		}
		return nil
	}
	for tries := 0; tries < 3; tries++ {
		if *answer, err = i.prompt.ask(ctx, question, *answer); err != nil || *answer != "" {
			return err
		}
	}
	return missing(flag, "")
}

// missing is an answer that nobody can be asked for.
func missing(answer, hint string) error {
	if answer != "key" && answer != "password" {
		hint = strings.TrimSpace("give --" + answer + ", or " + answer + " in the file of answers")
	} else {
		hint = "give it in the file of answers (--from), " + hint
	}
	return usageError{fault.New("make a configuration", fmt.Errorf("%s is missing", answer), hint)}
}
