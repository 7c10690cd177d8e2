// Package tds is the protocol half of the SQL Server stand-in: a server for
// the Tabular Data Stream protocol, version 7.4, as Microsoft documents it in
// [MS-TDS]. It turns bytes into calls of a Handler and the Handler's results
// into bytes, and knows no SQL.
//
// Terms, as MS-TDS uses them: a message is one request or one response; it
// travels in packets of at most the negotiated size; a response is a series
// of tokens (COLMETADATA, ROW, DONE, ERROR, ENVCHANGE and so on). PLP is the
// partially length-prefixed form in which MAX types travel in chunks.
//
// Values cross the Handler's border in the bytes of a ROW token, always in
// the nullable form of their type, so that a stored row is sent by copying.
// AppendValue and DecodeValue translate between those bytes and Go values.
package tds
