// Package conformance holds any server against the contract of the cloud API,
// from outside: all that it knows of the server is its URL, a customer and a
// key. A team with a cloud API of its own runs it with
//
//	TIDEMARK_KEY=tmk_... go test tidemark/cloud/conformance -base-url https://cloud.example -customer acme
//
// The suite makes tables under names of its own and drops their rows at its
// end. It says what an agent relies on and nothing of how a server stores
// rows: what it checks of values is that keys keep their identity.
package conformance
