//go:build !linux

package sim

// A fullDisk is known on Linux alone; elsewhere nothing fills.
type fullDisk struct{}

func fillDisk(string) (*fullDisk, error) { return &fullDisk{}, nil }
func (*fullDisk) mend()                  {}
