// Package installer makes the agent a service of the machine, and runs it as
// one.
//
// What it does: it registers the program that is running, with its
// configuration file, with systemd or with the Windows service manager, so
// that it starts with the machine and again after 20 seconds when it ends; it
// unregisters it, starts it, stops it and asks for its state.
//
// What it does not do: copy the program, create an account, set the rights of
// files, or take care of secrets. It registers the program where it lies, and
// the account must exist. On other service managers than these two it refuses.
package installer
