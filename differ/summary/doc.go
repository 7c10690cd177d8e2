// Package summary sums up a table so that two copies of it can be compared
// for the price of what differs. Agent and cloud share it; it knows neither
// SQL nor HTTP.
//
// # Terms
//
// A row is its canonical key, its row version, and the number of the epoch in
// which a batch last touched it. Its hash is SipHash-2-4-128, keyed by a
// secret of the customer's table, over layout number, epoch, key and row
// version: see Hasher.
//
// A cell is the number of rows in a set and the sum of their hashes modulo
// 2^128. A leaf is a set of about 128 rows that are found together; a node is
// 256 leaves and its cell the sum of theirs; the root is the sum of all. A
// layout says which leaf a key is in.
//
// # Why sums
//
// A sum is kept up to date from the rows that change alone: subtract the row as
// it was, add it as it is. That needs no order of the changes and no other row
// of the leaf, so that the cloud can do it in the transaction that writes the
// rows; the agent adds up what streams by and keeps nothing. Rows that swap
// their leaves cannot hide, because the key, and with it the leaf, is part of
// what is hashed; that is also why a node needs no hash over the ids of its
// leaves.
//
// # Layouts
//
// An ordered layout takes one column of the key, the last one if that gives
// leaves of the right size, maps its value to a number in the source's own
// order, and cuts that into leaves by a shift. The columns before it are part
// of a leaf's name as their bytes. A leaf is then a range of keys: a cloud reads
// it by the primary key, appended rows touch few leaves, and the agent, who
// reads in key order, has a node complete when the next begins. Integers,
// whole decimals, dates and times have such numbers, and GUIDs, whose bytes are
// put in the order in which SQL Server compares them: random ones fill leaves
// evenly by their first bits, sequential ones (NEWSEQUENTIALID) one leaf after
// another.
//
// A hashed layout takes the first bits of a keyed hash of the key. It serves
// every other type.
//
// The id of a node is 64 bits, so that stores can have it as an integer key.
// It is the number itself where that fits: then ids ascend with keys, are
// small, lie side by side in an index and compress to a byte each in messages.
// Where it does not (columns in front, sequential GUIDs) it is a hash of the
// node's name, the anchor, which a store keeps once with the node to be able to
// find its rows. A collision of two such ids merges two nodes on both sides
// alike: it costs time, not correctness. A leaf is a node and a byte.
//
// # What it cannot find
//
// Other contents under the same key, row version and epoch: a database that
// was restored and counted up again. The epoch's marks find that, not a sum.
//
// Two different sets of rows with the same sum. For sets that do not depend on
// the secret the probability is 2^-128 for each pair compared. It holds for as
// long as neither set changes; another layout number, which goes into every
// hash, finds it.
//
// On the wire sums are cut to their low bytes, 4 by default. A difference hides
// in a cut node or leaf with probability 2^-32, but not from the root, which
// is never cut: what was found equal and the whole cells of what was not must
// add up to it, or whole sums are asked for. Rows of differing leaves go up
// as fingerprints, salted anew in every question, and the differences that
// come back must explain the leaf's whole cell to the last bit.
//
// # Messages
//
// A message is a line of JSON and then numbers: see WriteTree, WriteLeaves,
// WriteCompareQuestion and DifferenceWriter. Readers believe nothing: they
// bound what they keep, and hold counts and sums against each other.
package summary
