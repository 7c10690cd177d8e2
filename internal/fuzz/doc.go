// Command fuzz runs every fuzz target of the module, one package's after the
// other's, and prints what each did.
//
// "go test -fuzz" takes one target a run and instruments all that is linked,
// SQLite too. Here each package's tests are built once, and only Tidemark's
// own packages are instrumented.
//
// With -n each target has a fixed number of executions with a fixed seed and
// one worker, so that a run does nearly the same every time; with -time it has
// all processors and as many as come.
package main
