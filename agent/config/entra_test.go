package config_test

import (
	"strings"
	"testing"

	"tidemark/agent/config"
)

func TestEntra(t *testing.T) {
	for lines, wrong := range map[string]string{
		"authentication: entra": "",
		"authentication: entra, user: id, entra: {method: managed-identity}":                                        "",
		"authentication: entra, user: id@tenant, password: '${env:P}', entra: {method: service-principal}":          "",
		"authentication: entra, user: id, entra: {method: service-principal, certificate: c.pem}":                   "",
		"authentication: entra, user: id, entra: {method: service-principal}":                                       "password",
		"authentication: entra, password: '${env:P}', entra: {method: service-principal}":                           "user is missing",
		"authentication: entra, user: id":                                                                           "the environment says",
		"authentication: entra, password: '${env:P}', entra: {method: managed-identity}":                            "password has no effect",
		"authentication: entra, encrypt: login":                                                                     "encrypted connection alone",
		"authentication: entra, kerberos: {realm: R}":                                                               "kerberos has no effect",
		"authentication: entra, user: id, password: '${env:P}', entra: {method: service-principal, certificate: c}": "both password and certificate",
	} {
		_, err := config.Parse("f.yaml", []byte("customer: acme\ncloud: {url: 'https://c.example', key: '${env:K}'}\nsource: {server: s, database: d, tables: [t], "+lines+"}\n"))
		switch {
		case wrong == "" && err != nil:
			t.Errorf("%s: %v", lines, err)
		case wrong != "" && (err == nil || !strings.Contains(err.Error(), wrong)):
			t.Errorf("%s: %v, not %q", lines, err, wrong)
		}
	}
}
