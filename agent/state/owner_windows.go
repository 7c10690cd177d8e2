package state

// ownLike does nothing: files get the access list of their directory.
func ownLike(string, string) error { return nil }
