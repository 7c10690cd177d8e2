// Package bundle writes the one file that support asks for: a zip archive with
// status, journals, log and configuration of a site, without secrets, rows or
// keys of rows.
//
// Nothing enters the archive but through a Redactor. It takes out, wherever
// they stand, the values of all secrets that the configuration refers to, what
// looks like a secret, keys of rows, and quoted texts that are no name of the
// configuration, because databases quote values in their errors. The archive
// lists what was taken out, from which file and how often, and what could not
// be collected.
package bundle
