// Package conformance holds any server against the contract of the cloud API,
// from outside: all that it knows of the server is its URL, a customer and a
// key. A team with a cloud API of its own runs it in a checkout with
//
//	make conformance URL=https://cloud.example CUSTOMER=acme KEY=tmk_...
//
// which is
//
//	TIDEMARK_KEY=tmk_... go test ./cloud/conformance -run BaseURL -base-url https://cloud.example -customer acme
//
// or makes a program of it, which needs no checkout where it runs:
//
//	go test -c -o conformance ./cloud/conformance
//	TIDEMARK_KEY=tmk_... ./conformance -test.run BaseURL -test.v -base-url https://cloud.example -customer acme
//
// The URL and the customer can also be in TIDEMARK_URL and TIDEMARK_CUSTOMER;
// the key is read from the environment alone, because command lines are not
// secret. A server with a certificate of an own CA: SSL_CERT_FILE names its
// root. A team with tests in Go calls Run from them.
//
// The suite makes tables under names of its own and drops their rows at its
// end. It says what an agent relies on and nothing of how a server stores
// rows: what it checks of values is that keys keep their identity. Summaries it
// computes itself, from the rows that the server lists, and holds them against
// the server's to the last bit.
package conformance
