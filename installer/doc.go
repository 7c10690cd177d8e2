// Package installer makes the agent a service of the machine, and runs it as
// one.
//
// It registers the program that is running, with its configuration file, with
// systemd or with the Windows service manager: under an account of its own,
// with the folders that it needs, started with the machine, and started again
// when it dies. Installing twice is installing once; what is there and differs
// is brought in order, which is also what Repair does. Uninstalling stops
// first, and leaves configuration and state.
//
// Terms:
//
//   - the manager is what runs services: systemd or the Windows service
//     control manager. Others are refused.
//   - a unit is systemd's description of a service. Packages ship one; a
//     registration writes one of its own, and leaves a packaged one alone.
//   - a virtual account is Windows' account of one service, NT SERVICE\NAME,
//     which has no password and no rights but those that are given to it.
//   - recovery is what the manager does when the service dies.
//
// It does not copy the program and does not write configuration or secrets.
package installer
