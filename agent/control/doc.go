// Package control is the channel between a running agent and the commands on
// the same machine: HTTP with JSON over a socket in the agent's state
// directory. Nothing of it is reachable over the network.
//
// The socket is a Unix domain socket everywhere; Windows knows them since
// Windows 10 1803 and Windows Server 2019. Who may connect is up to the file
// system first: on Linux the socket is for its owner and the group tidemark
// (0660; its own group where there is none of that name), on
// Windows its directory is for administrators, the system and the account of
// the service. Where the system tells who is at the other end (SO_PEERCRED on
// Linux), the server asks and refuses everyone else by name.
//
// Every operation is a POST of one JSON document to /v1/ and its name, and is
// answered by one JSON document: a result, or an error with a message and a
// hint. The operations are those of agent.Control, and process, which tells of
// the process itself.
package control
