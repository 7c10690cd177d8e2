// Package trust has tests of what docs/security.md promises of the shipped
// programs as a whole, run as processes: no secret in anything that they write,
// the rights of their files, keys that are changed without a gap.
package trust
