package storetest

import (
	"testing"

	"tidemark/cloud"
	"tidemark/internal/wire"
)

// Options tell what the suite needs to know of a store.
type Options struct {
	// Open returns an empty store that lives as long as the test.
	Open func(t *testing.T) cloud.Store
	// Stored returns what the store gives back for a value that it cannot hold
	// with all its digits, in wire form; nil when it holds every value.
	Stored func(c wire.Column, key bool, raw string) string
}

// Run holds a store against the suite. Every part has a store of its own.
func Run(t *testing.T, o Options) {
	parts := []struct {
		name string
		run  func(t *testing.T, f *fixture)
	}{
		{"customers", testCustomers},
		{"keys rotate", testRotate},
		{"remove customer", testRemoveCustomer},
		{"remove customer while it sends", testRemoveWhileSending},
		{"invitations", testInvitations},
		{"control", testControl},
		{"acts", testActs},
		{"observe", testObserve},
		{"reports", testReports},
		{"operators", testOperators},
		{"recent batches", testRecent},
		{"costs", testCosts},
		{"register", testRegister},
		{"columns come and go", testColumns},
		{"types widen", testWiden},
		{"shared with another customer", testShared},
		{"key changes", testKeyChange},
		{"hostile names", testHostileNames},
		{"not registered", testNotRegistered},
		{"exactly once", testExactlyOnce},
		{"one of many at once", testSameSequence},
		{"one writer", testWriter},
		{"schema of a batch", testBatchSchema},
		{"epochs", testEpochs},
		{"load", testLoad},
		{"upserts", testUpserts},
		{"content", testContent},
		{"keys are bytes", testKeyBytes},
		{"one key twice", testTwice},
		{"one key in many spellings", testSpellings},
		{"refused rows", testRefused},
		{"a body that fails", testBrokenBody},
		{"large batch", testLarge},
		{"deletes", testDelete},
		{"drop", testDrop},
		{"compare", testCompare},
		{"list", testList},
		{"manifest of another table", testManifestChecks},
		{"types", testTypes},
		{"types as keys", testTypesAsKeys},
		{"SQL in every value", testInjections},
		{"canceled", testCanceled},
		{"model", testModel},
		{"summary model", testSummaryModel},
		{"summary of many rows", testSummaryLarge},
		{"summary while batches come", testSummaryConcurrent},
		{"summary is not there", testSummaryAbsent},
		{"summary and schemas", testSummarySchemas},
		{"layout drifts", testLayoutDrifts},
		{"differences", testDifferences},
	}
	for _, p := range parts {
		t.Run(p.name, func(t *testing.T) { p.run(t, newFixture(t, o)) })
	}
}
