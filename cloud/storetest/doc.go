// Package storetest is the suite that every cloud.Store must pass.
package storetest
