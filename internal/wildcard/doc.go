// Package wildcard compares names with patterns, as they stand in the
// configuration: * is any characters, ? is one, and case does not matter.
package wildcard
