// Package config reads Tidemark's one configuration file.
//
// The file is YAML. Everything that is wrong with it is reported at once, each
// problem with its line, the line itself, a caret and what was expected there;
// an agent with a wrong file does not start.
//
// Three terms are used throughout:
//
//   - A pace is how often a table is looked at and how hard its source is
//     worked: interval, skips, verification, limits and transfer windows. It
//     is written once under "defaults", and again, where it differs, at a
//     source or at a table: the nearest one counts, field by field.
//   - A reference is ${secret:NAME} (see package secrets), ${env:NAME} or
//     ${file:PATH}. Secrets are given by reference only, never in the file
//     itself, and are read again each time they are used, so that a changed
//     key needs no restart.
//   - A dataset is the name of a table in the cloud.
//
// Paths that are not absolute are relative to the configuration file.
package config
