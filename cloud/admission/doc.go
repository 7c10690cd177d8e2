// Package admission decides which request may work now, which one waits, and
// which one is told to come back later. It bounds what the database has to do
// at a time, and chooses what is left out when that is not enough.
//
// All classes of work share one budget, the connections to the database. A
// class may use a part of it: diffs the first half, first loads four fifths,
// reads nine tenths, changes all. What is over is left out in that order, and
// a place that becomes free goes to the highest class that waits. A
// class of which nothing is inside may take a free place above its part, so
// that no class stands still while there is one to spare.
//
// Each class has besides a limit of its own that follows what is measured. It
// grows while somebody waits or most of it is used and work takes about as long
// as usual, stays where it takes longer, and shrinks when it takes more than
// twice as long or fails for overload: more at a time would only wait in the
// database. That is the gradient of Netflix's concurrency-limits, held against
// times of work of about the same size. Answers that are quick enough in any
// case never shrink it.
//
// Customers take turns: those that wait for a class are let in round robin,
// and one has at most a quarter of a class's limit and of the budget. Where
// the queue is full, the newest request of whoever waits with the most is
// refused.
package admission
